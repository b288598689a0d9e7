"""Evaluation gives systems whose behaviour is known the numbers they deserve."""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import typer
from PIL import Image, ImageDraw
from rich.console import Console
from torch import Tensor

from models import tagan, weights
from models.base import Output, Prepared, System, TextFeatures
from models.checkpoint import Header
from models.lite import FOLDER
from models.text.vocabulary import tokenize
from training import evaluate
from training.colours import find_palette
from training.data import read_split
from training.judge import Judge

SHADES = {
    "black": (25, 25, 25),
    "red": (190, 25, 40),
    "blue": (50, 100, 200),
    "green": (40, 130, 60),
    "pink": (246, 205, 205),
    "navy": (25, 30, 70),
    "grey": (140, 140, 140),
    "white": (235, 235, 235),
    "orange": (240, 120, 30),
    "purple": (110, 50, 140),
    "yellow": (240, 210, 50),
}
_HALF = [(20, 14), (10, 18), (4, 28), (10, 36), (16, 30), (16, 60)]
SHIRT = [*_HALF, *((64 - x, y) for x, y in reversed(_HALF))]  # pixels


class Lazy(System):
    """Returns what it was given."""

    noise_dim = 2
    cfg = SimpleNamespace(image_size=64)

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        named = [next((w for w in tokenize(c) if w in SHADES), "grey") for c in captions]
        colour = torch.tensor([SHADES[name] for name in named]) / 127.5 - 1
        return TextFeatures(colour[:, None], colour, torch.ones(len(colour), 1, dtype=torch.bool))

    def prepare(self, image: Tensor) -> Prepared:
        return Prepared(image)

    def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
        return Output(prepared.image)


class Painter(Lazy):
    """Paints the shirt in the colour that the caption names."""

    def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
        shirt = _shirt().to(prepared.image)
        return Output(prepared.image * (1 - shirt) + text.sentence[..., None, None] * shirt)


class Flooder(Lazy):
    """Paints the whole picture, and by chance."""

    def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
        flood = text.sentence[..., None, None].expand_as(prepared.image)
        return Output(flood + 0.1 * torch.rand(1))


@pytest.fixture(scope="module")
def judge() -> Judge:
    """The shipped judge of clothes."""
    return Judge.load(FOLDER.parent / "judges" / "clothes.safetensors")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of twelve painted shirts, half red and half blue."""
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "test").mkdir()
    lines = []
    for i in range(12):
        colour = ("red", "blue")[i % 2]
        canvas = Image.new("RGB", (64, 64), "white")
        ImageDraw.Draw(canvas).polygon(SHIRT, fill=SHADES[colour])
        canvas.save(folder / "test" / f"{i}.png")
        caption = f"a {colour} t-shirt with round neck"
        lines.append(json.dumps({"file_name": f"{i}.png", "captions": [caption]}))
    (folder / "test" / "metadata.jsonl").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def pictures(judge: Judge, folder: Path) -> evaluate.TestSet:
    """The painted shirts at 64 pixels."""
    examples = read_split(folder, "test")
    return evaluate.test_set(Lazy(), examples, judge, seed=0, cache=folder / "cache")


def test_a_painter_does_what_was_asked(pictures: evaluate.TestSet, judge: Judge) -> None:
    metrics = evaluate.evaluate(Painter(), pictures, judge).metrics
    for way in evaluate.WAYS:
        assert metrics["edits"][way]["changed"]["all"]["share"] > 0.8
        assert metrics["outside_change"][way] == 0
    assert metrics["reconstruction"]["rmse"] < 0.02
    assert metrics["caption_change"] > 0.05
    assert metrics["deterministic"]


def test_a_system_that_does_nothing_gets_nothing(pictures: evaluate.TestSet, judge: Judge) -> None:
    metrics = evaluate.evaluate(Lazy(), pictures, judge).metrics
    template = metrics["edits"]["template"]
    assert template["changed"]["all"]["share"] == 0
    assert template["changed"]["all"]["edits"] == 12 * 8 - 12
    assert template["every"]["share"] == pytest.approx(1 / 8)
    assert metrics["caption_change"] == metrics["reconstruction"]["rmse"] == 0


def test_a_flooded_ground_and_chance_are_seen(pictures: evaluate.TestSet, judge: Judge) -> None:
    metrics = evaluate.evaluate(Flooder(), pictures, judge).metrics
    assert metrics["outside_change"]["template"] > 0.2
    assert not metrics["deterministic"]


def test_own_captions_differ_from_the_picture_in_the_colour_alone(
    pictures: evaluate.TestSet,
) -> None:
    captions = evaluate.own_captions(find_palette("clothes"), pictures, "green")
    assert set(captions) == {"a green t-shirt with round neck"}


def test_a_picture_keeps_its_noise_for_every_colour(pictures: evaluate.TestSet) -> None:
    seen = []

    class Noisy(Lazy):
        def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
            seen.append(noise)
            return Output(prepared.image)

    for colour in ("red", "blue"):
        evaluate.edited(Noisy(), pictures, [f"a {colour} dress"] * 12, batch=5)
    assert torch.equal(torch.cat(seen[:3]), torch.cat(seen[3:]))


def test_report_has_a_row_for_each_colour_of_the_bar(
    pictures: evaluate.TestSet, judge: Judge
) -> None:
    result = evaluate.evaluate(Lazy(), pictures, judge)
    console = Console(width=200, record=True, file=io.StringIO())
    metrics = {"checkpoint": "lazy", "judge_on_real": {"red": 0.9}} | result.metrics
    evaluate.report(metrics, find_palette("clothes"), console)
    text = console.export_text()
    assert all(colour in text for colour in find_palette("clothes").asked)
    assert "90.0%" in text
    assert evaluate.contact_sheet(result).width > 0


def test_command_writes_numbers_and_a_sheet(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # its cache goes there
    words = ("a", "red", "blue", "t-shirt", "with", "round", "neck")
    header = Header("tagan", "clothes", tagan.TINY.image_size, asdict(tagan.TINY), words, steps=3)
    weights.save(weights.build(header), header, tmp_path / "tiny.safetensors")

    evaluate.main("tiny.safetensors", folder, pictures=10, out=tmp_path / "out")

    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["checkpoint"], metrics["steps"]) == ("tagan-clothes-16", 3)
    assert metrics["pictures"] == 10
    assert metrics["judge_on_real"] == {"red": 1, "blue": 1, "all": 1}
    assert (tmp_path / "out" / "sheet.webp").stat().st_size > 0


def test_an_unknown_checkpoint_is_refused(folder: Path) -> None:
    with pytest.raises(typer.BadParameter, match="no-such-model"):
        evaluate.main("no-such-model", folder)


def _shirt() -> Tensor:
    """(1, 1, 64, 64), 1 on the shirt."""
    canvas = Image.new("1", (64, 64))
    ImageDraw.Draw(canvas).polygon(SHIRT, fill=1)
    return torch.from_numpy(np.array(canvas))[None, None]
