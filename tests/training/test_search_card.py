"""A shipped search has its recall on its card, and a sheet of pictures that may be passed on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from models import weights
from models.checkpoint import read_header
from models.tirg import Tirg
from tests.tiny import write_tiny_model
from training import search_card
from training.card import NotMeasured, photographs
from training.recall import RANKS

ROW = {"queries": 8} | {f"recall@{rank}": 0.25 for rank in RANKS}
COLOURS = ("red", "blue", "white", "black", "green")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    path = tmp_path / f"{write_tiny_model(tmp_path, 'tirg')}.safetensors"
    header = replace(
        read_header(path),
        steps=3,
        metrics={"training_hours": 0.5},
        examples=("in red", "the same but in blue"),
    )
    weights.save(weights.load(path), header, path)
    return path


@pytest.fixture
def measured(trained: Path, tmp_path: Path) -> Path:
    path = tmp_path / "recall.json"
    about = {"checkpoint": trained.stem, "steps": 3, "pictures": 5, "form": "gated, pooled"}
    path.write_text(json.dumps(about | {"ways": {"as people type": ROW, "words alone": ROW}}))
    return path


@pytest.fixture
def samples(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{colour}.png" for colour in COLOURS]
    for path in paths:
        Image.new("RGB", (30, 20), path.stem).save(path)
    return paths


def test_card_and_header_have_the_recall(
    trained: Path, measured: Path, samples: list[Path], tmp_path: Path
) -> None:
    path = search_card.ship(trained, measured, samples, tmp_path / "out", ["A note."])
    assert read_header(path).metrics["recall_at_10"] == 0.25
    text = path.with_suffix(".md").read_text()
    assert "| as people type | 8 | 25.0% |" in text
    assert "- A note." in text
    assert f"among 5 pictures that may be passed on]({path.stem}.webp)" in text
    assert path.with_suffix(".webp").stat().st_size <= 200_000


def test_without_samples_there_is_no_sheet_and_the_card_shows_none(
    trained: Path, measured: Path, tmp_path: Path
) -> None:
    path = search_card.ship(trained, measured, [], tmp_path / "out")
    assert not path.with_suffix(".webp").exists()
    assert "![" not in path.with_suffix(".md").read_text()


def test_what_was_measured_of_another_step_is_refused(
    trained: Path, measured: Path, tmp_path: Path
) -> None:
    measured.write_text(measured.read_text().replace('"steps": 3', '"steps": 2'))
    with pytest.raises(NotMeasured, match="at step 2, wanted"):
        search_card.ship(trained, measured, [], tmp_path / "out")


def test_a_row_shows_what_is_asked_with_and_then_all_others_nearest_first(
    trained: Path, samples: list[Path]
) -> None:
    system = weights.load(trained)
    assert isinstance(system, Tirg)
    page = search_card.search_sheet(system, samples, ["in red", "in blue"])
    with torch.inference_mode():
        images = photographs(samples, system.cfg.image_size)
        asked = system.compose(system.prepare(images[[0, 2]]), system.encode_text(["in red"] * 2))
        order = (asked[0] @ system.embed(system.prepare(images)).T).argsort(descending=True)
    found = [COLOURS[number] for number in order if number != 0]
    wanted = [Image.new("RGB", (1, 1), name).getpixel((0, 0)) for name in ("red", "white", *found)]
    cells = [page.getpixel((64 + 130 * column, 14 + 64)) for column in range(6)]
    assert cells == wanted
    assert page.getpixel((64, 14 + 64 + 144)) == (255, 255, 255)  # the second begins with another
