"""Evaluation gives systems whose behaviour is known the numbers they deserve."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from rich.console import Console
from torch import Tensor

from models.base import Output, Prepared, System, TextFeatures
from models.text.vocabulary import tokenize
from training import evaluate_edits
from training.attributes import find_attribute
from training.evaluation import JUDGES, Plan

COLOURS = "clothes-colour.safetensors"
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
def plan(folder: Path) -> Plan:
    """The painted shirts, and the shipped judge of colours."""
    judges = folder / "judges"
    judges.mkdir()
    (judges / COLOURS).symlink_to(JUDGES / COLOURS)
    return Plan(folder, "clothes", 12, seeds=(0, 1), judges=judges, cache=folder / "cache")


def test_a_painter_does_what_was_asked(plan: Plan) -> None:
    metrics = evaluate_edits.measure(Painter(), plan).metrics
    colour = metrics["attributes"]["colour"]
    for way in evaluate_edits.WAYS:
        assert colour[way]["changed"]["all"]["share"] > 0.8
        assert colour[way]["outside_change"]["mean"] == 0
    assert metrics["reconstruction"]["rmse"]["mean"] < 0.02
    assert colour["value_change"] > 0.05
    assert metrics["deterministic"]


def test_a_system_that_does_nothing_gets_nothing(plan: Plan) -> None:
    metrics = evaluate_edits.measure(Lazy(), plan).metrics
    colour = metrics["attributes"]["colour"]
    assert colour["template"]["changed"]["all"]["share"] == 0
    assert colour["template"]["changed"]["all"]["edits"] == 2 * (12 * 8 - 12)
    assert colour["template"]["every"]["share"] == pytest.approx(1 / 8)
    assert colour["value_change"] == metrics["reconstruction"]["rmse"]["mean"] == 0


def test_a_flooded_ground_and_chance_are_seen(plan: Plan) -> None:
    metrics = evaluate_edits.measure(Flooder(), plan).metrics
    assert metrics["attributes"]["colour"]["template"]["outside_change"]["mean"] > 0.2
    assert not metrics["deterministic"]


def test_on_plain_grounds_who_paints_the_object_changes_it_alone_and_a_flood_all(
    plan: Plan,
) -> None:
    colour = find_attribute("flowers", "colour")
    painter, flooder = (
        evaluate_edits.plain_grounds_measured(system, plan, colour)
        for system in (Painter(), Flooder())
    )
    assert painter["pictures"] == flooder["pictures"] == 12
    assert painter["ground_change"] < 0.01
    assert painter["object_change"] > 0.15
    assert flooder["ground_change"] > 0.15
    assert "12 objects" in str(evaluate_edits.plain_grounds_written({"on_plain_grounds": painter}))


def test_pictures_without_a_clear_object_are_laid_on_nothing(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    Image.effect_noise((64, 64), 60).convert("RGB").save(tmp_path / "test" / "0.png")
    line = json.dumps({"file_name": "0.png", "captions": ["a red flower"]})
    (tmp_path / "test" / "metadata.jsonl").write_text(line)
    colour = find_attribute("flowers", "colour")
    of_noise = replace(plan, data=tmp_path, cache=tmp_path / "cache")
    found = evaluate_edits.plain_grounds_measured(Painter(), of_noise, colour)
    assert found == {"pictures": 0}
    assert evaluate_edits.plain_grounds_written({"on_plain_grounds": found}) is None


def test_words_that_are_obeyed_score_higher_where_the_system_knows_it(plan: Plan) -> None:
    class Knowing(Painter):
        """Paints red alone, and says which word of the caption it obeyed."""

        def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
            red = torch.tensor(SHADES["red"]) / 127.5 - 1
            asked = text.sentence
            painted = super().manipulate(
                prepared, replace(text, sentence=red.expand_as(asked)), noise
            )
            obeyed = (asked == red).all(1, keepdim=True).float()
            return replace(painted, scores=obeyed.expand(-1, 9))

    scores = evaluate_edits.measure(Knowing(), plan).metrics["attributes"]["colour"]["template"]
    assert scores["word_scores"]["obeyed"] > 0.9
    assert scores["word_scores"]["not_obeyed"] < 0.1


def test_own_captions_differ_from_the_picture_in_the_colour_alone(plan: Plan) -> None:
    pictures = evaluate_edits.test_set(Lazy(), plan, seed=0)
    captions = evaluate_edits.own_captions(find_attribute("clothes", "colour"), pictures, "green")
    assert set(captions) == {"a green t-shirt with round neck"}


def test_a_picture_keeps_its_noise_for_every_colour(plan: Plan) -> None:
    seen = []

    class Noisy(Lazy):
        def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
            seen.append(noise)
            return Output(prepared.image)

    pictures = evaluate_edits.test_set(Noisy(), plan, seed=0)
    for colour in ("red", "blue"):
        evaluate_edits.edited(Noisy(), pictures, [f"a {colour} dress"] * 12, batch=5)
    assert torch.equal(torch.cat(seen[:3]), torch.cat(seen[3:]))


def test_each_seed_has_noise_of_its_own(plan: Plan) -> None:
    first, second = (evaluate_edits.test_set(Lazy(), plan, seed).noise for seed in plan.seeds)
    assert not torch.equal(first, second)


def test_report_has_a_row_for_each_colour_of_the_bar(plan: Plan) -> None:
    result = evaluate_edits.measure(Lazy(), plan)
    console = Console(width=200, record=True, file=io.StringIO())
    evaluate_edits.report({"checkpoint": "lazy"} | dict(result.metrics), console)
    text = console.export_text()
    assert all(colour in text for colour in find_attribute("clothes", "colour").asked)
    assert result.sheets["sheet.webp"].width > 0


def test_a_domain_without_a_judge_is_refused(plan: Plan) -> None:
    with pytest.raises(evaluate_edits.NoJudge, match="vases"):
        evaluate_edits.measure(Lazy(), replace(plan, domain="vases"))


def _shirt() -> Tensor:
    """(1, 1, 64, 64), 1 on the shirt."""
    canvas = Image.new("1", (64, 64))
    ImageDraw.Draw(canvas).polygon(SHIRT, fill=1)
    return torch.from_numpy(np.array(canvas))[None, None]
