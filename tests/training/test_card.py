"""A shipped checkpoint has the numbers that were measured, in its header and on its card."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from models import weights
from models.checkpoint import read_header
from tests.tiny import write_tiny_model
from training import card
from training.card import NotMeasured
from training.evaluate_drawings import FIRST

SHARE = {"share": 0.5, "low": 0.4, "high": 0.6, "edits": 8}
MEAN = {"mean": 0.25, "low": 0.2, "high": 0.3, "seeds": [0.2, 0.3]}
LIKENESS = {"fd_lite2": MEAN, "kid_lite2": MEAN, "is_lite2": MEAN, "kid_block_std": 0.1}
OF_DRAWINGS = {
    "likeness": {"64": {"made": LIKENESS, "real": LIKENESS}},
    "r_precision": {"candidates": 100, "chance": 0.01, "made": SHARE, "real": SHARE},
    "attributes": {
        "colour": {"made": {"red": SHARE, "all": SHARE}, "real": {"red": SHARE, "all": SHARE}}
    },
    "variety": {"captions": 40, "same_caption": 0.3, "other_captions": 0.6},
}
CHANGED = {"changed": {"red": SHARE, "all": SHARE}, "every": SHARE, "seen": {}}
WAY = CHANGED | {"outside_change": MEAN}
OF_EDITS = {
    "attributes": {
        "colour": {"template": WAY, "own caption": WAY, "judge_on_real": {"red": 0.9, "all": 0.9}}
    },
    "reconstruction": {"rmse": MEAN, "rmse_unit": MEAN, "mse": MEAN},
    "deterministic": True,
}


def _trained(folder: Path, system: str) -> Path:
    """A tiny checkpoint that says it was trained for three steps."""
    path = folder / f"{write_tiny_model(folder, system)}.safetensors"
    header = replace(
        read_header(path), steps=3, metrics={"training_hours": 0.5}, examples=("a red flower",)
    )
    weights.save(weights.load(path), header, path)
    return path


def _measured(folder: Path, model: str, found: dict[str, Any]) -> Path:
    path = folder / "metrics.json"
    about = {"checkpoint": model, "steps": 3, "pictures": 4, "seeds": 2}
    path.write_text(json.dumps(about | found))
    Image.new("RGB", (64, 64), "red").save(folder / FIRST)
    return path


@pytest.mark.parametrize(
    ("system", "found", "headline"),
    [
        ("gan_int_cls", OF_DRAWINGS, {"fd_lite2": 0.25, "r_precision": 0.5, "variety": 0.3}),
        ("tagan", OF_EDITS, {"colour_edits": 0.5, "l2_reconstruction": 0.25}),
    ],
)
def test_card_and_header_have_the_numbers(
    system: str, found: dict[str, Any], headline: dict[str, float], tmp_path: Path
) -> None:
    trained = _trained(tmp_path, system)
    measured = _measured(tmp_path, trained.stem, found)
    photo = tmp_path / "photo.png"
    Image.new("RGB", (20, 30), "blue").save(photo)

    path = card.ship(trained, measured, [photo], tmp_path / "out", ["A note."])

    assert headline.items() <= read_header(path).metrics.items()
    text = path.with_suffix(".md").read_text()
    assert "50.0%" in text
    assert "- A note." in text
    assert path.with_suffix(".webp").stat().st_size <= 200_000


def test_numbers_of_another_step_are_refused(tmp_path: Path) -> None:
    trained = _trained(tmp_path, "tagan")
    weights.save(weights.load(trained), replace(read_header(trained), steps=4), trained)
    with pytest.raises(NotMeasured, match="step 3, wanted tagan-flowers-16 at step 4"):
        card.ship(trained, _measured(tmp_path, trained.stem, {}), [], tmp_path / "out")
