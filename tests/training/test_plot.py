"""training/plot.py"""

import json
from pathlib import Path

import pytest
from PIL import Image

from training.plot import NoLog, plot_log


def test_a_log_becomes_a_picture_with_a_panel_a_loss(tmp_path: Path) -> None:
    rows = [{"step": s, "hours": s / 99, "g_real": 1 / s, "d_real": s} for s in range(1, 60)]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    plot_log(tmp_path, tmp_path / "log.png")
    with Image.open(tmp_path / "log.png") as picture:
        assert picture.size == (9 * 120, 4 * 120)


def test_a_run_without_a_log_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoLog, match="no line yet"):
        plot_log(tmp_path, tmp_path / "log.png")
