"""One command measures every checkpoint, each by what its system does."""

import json
from pathlib import Path

import pytest
import typer

from tests.tiny import write_tiny_model
from tests.training.painted import write_squares
from training import evaluate


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # its cache goes there
    return write_squares(tmp_path / "flowers", "a flower with {colour} petals", train=12, test=6)


@pytest.mark.parametrize(
    ("system", "measured", "sheets"),
    [
        ("tagan", "reconstruction", ["sheet.webp"]),
        ("gan_int_cls", "likeness", ["sheet.webp", "first-40.png"]),
    ],
)
def test_numbers_and_sheets_are_written(
    system: str, measured: str, sheets: list[str], data: Path, tmp_path: Path
) -> None:
    model = write_tiny_model(tmp_path / "models", system)
    path = tmp_path / "models" / f"{model}.safetensors"

    evaluate.main(str(path), data, pictures=4, seeds=2, out=tmp_path / "out")

    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["checkpoint"], metrics["steps"]) == (model, 0)
    assert (metrics["pictures"], metrics["seeds"]) == (4, 2)
    assert measured in metrics
    assert all((tmp_path / "out" / name).stat().st_size for name in sheets)


def test_an_unknown_checkpoint_is_refused(data: Path) -> None:
    with pytest.raises(typer.BadParameter, match="no-such-model"):
        evaluate.main("no-such-model", data)
