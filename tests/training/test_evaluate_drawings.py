"""Evaluation gives generators whose behaviour is known the numbers they deserve."""

import io
from collections.abc import Sequence
from itertools import chain
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console
from torch import Tensor

from models.base import Output, System, TextFeatures
from models.lite import FOLDER
from models.text.vocabulary import Vocabulary, tokenize
from tests.training.painted import SHADES, write_squares
from training import evaluate_drawings
from training import matcher as matching
from training.evaluation import Evaluation, Plan
from training.matcher import Config, Matcher, matcher_file
from training.pairs import pairs_of


class Painter(System):
    """Draws a square of the colour that the caption names, where the noise says."""

    noise_dim = 2
    cfg = SimpleNamespace(image_size=64)

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        named = [next((w for w in tokenize(c) if w in SHADES), "red") for c in captions]
        colour = torch.tensor([SHADES[name] for name in named]) / 127.5 - 1
        return TextFeatures(colour[:, None], colour, torch.ones(len(colour), 1, dtype=torch.bool))

    def generate(self, text: TextFeatures, noise: Tensor) -> Output:
        image = torch.full((len(noise), 3, 64, 64), 0.96)
        for picture, colour, (x, y) in zip(image, text.sentence, noise, strict=True):
            left, top = (int(8 + 4 * torch.tanh(place)) for place in (x, y))
            picture[:, top : top + 40, left : left + 40] = colour[:, None, None]
        return Output(image)


class Deaf(Painter):
    """Draws in one colour, whatever the caption, and in one place, whatever the noise."""

    def generate(self, text: TextFeatures, noise: Tensor) -> Output:
        red = torch.tensor(SHADES["red"]) / 127.5 - 1
        text = TextFeatures(text.words, red.expand_as(text.sentence), text.mask)
        return super().generate(text, torch.zeros_like(noise))


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A data set of painted squares, with a matcher of it and the shipped judge of flowers."""
    folder = tmp_path_factory.mktemp("drawings")
    data = write_squares(folder / "flowers", "this flower has {colour} petals")
    judges = folder / "judges"
    judges.mkdir()
    judge = "flowers-colour.safetensors"
    (judges / judge).symlink_to(FOLDER.parent / "judges" / judge)
    torch.manual_seed(0)
    real = pairs_of(data, "train", cache=folder / "cache", views=1)
    vocabulary = Vocabulary.build(chain(*real.captions))
    matcher = Matcher("flowers", vocabulary, Config(word_dim=8, dim=16, hidden=16))
    matching.train(matcher, real, real, epochs=30, seed=0, batch=8)
    matcher.save(matcher_file(judges, "flowers"))
    return Plan(data, "flowers", 12, seeds=(0, 1), judges=judges, cache=folder / "cache")


@pytest.fixture(scope="module")
def painted(plan: Plan) -> Evaluation:
    return evaluate_drawings.measure(Painter(), plan)


@pytest.fixture(scope="module")
def deaf(plan: Plan) -> Evaluation:
    return evaluate_drawings.measure(Deaf(), plan)


def test_a_painter_is_more_like_the_real_pictures_than_one_who_is_deaf(
    painted: Evaluation, deaf: Evaluation
) -> None:
    near, far = (found.metrics["likeness"]["64"]["made"] for found in (painted, deaf))
    for measure in ("fd_lite2", "kid_lite2"):
        assert near[measure]["mean"] < far[measure]["mean"]


def test_real_pictures_are_nearer_to_each_other_than_drawings(painted: Evaluation) -> None:
    likeness = painted.metrics["likeness"]["64"]
    assert likeness["real"]["fd_lite2"]["mean"] < likeness["made"]["fd_lite2"]["mean"]


def test_captions_are_found_again_from_what_was_painted_for_them(
    painted: Evaluation, deaf: Evaluation
) -> None:
    found, chance = painted.metrics["r_precision"], deaf.metrics["r_precision"]
    assert found["real"]["share"] > 0.9
    assert found["made"]["share"] > 0.9
    assert chance["made"]["share"] < 0.7
    assert found["chance"] == 0.01


def test_the_judge_sees_who_obeys(painted: Evaluation, deaf: Evaluation) -> None:
    obeyed, ignored = (found.metrics["attributes"]["colour"] for found in (painted, deaf))
    assert obeyed["made"]["all"]["share"] > ignored["made"]["all"]["share"]
    assert obeyed["made"]["all"]["edits"] == 2 * 12


def test_one_picture_for_each_caption_is_no_variety(painted: Evaluation, deaf: Evaluation) -> None:
    varied, same = (found.metrics["variety"] for found in (painted, deaf))
    assert same["same_caption"] == pytest.approx(0, abs=1e-4)
    assert 0.05 < varied["same_caption"] < varied["other_captions"]


def test_a_larger_size_is_measured_at_64_pixels_and_at_its_own(plan: Plan) -> None:
    class Large(Painter):
        cfg = SimpleNamespace(image_size=128)

        def generate(self, text: TextFeatures, noise: Tensor) -> Output:
            image = super().generate(text, noise).image
            return Output(torch.nn.functional.interpolate(image, scale_factor=2))

    found = evaluate_drawings.measure(Large(), plan).metrics["likeness"]
    assert set(found) == {"64", "128"}


def test_a_domain_without_judges_is_measured_without_them(plan: Plan) -> None:
    bare = Plan(plan.data, "vases", 12, seeds=(0, 1), judges=plan.judges, cache=plan.cache)
    metrics = evaluate_drawings.measure(Painter(), bare).metrics
    assert metrics["attributes"] == {}
    assert "r_precision" not in metrics
    evaluate_drawings.report({"checkpoint": "painter"} | dict(metrics), _console())


def test_each_seed_asks_with_another_caption(plan: Plan) -> None:
    drawn = evaluate_drawings.drawings(Painter(), plan)
    assert drawn.asked[0][0] == "this flower has red petals"
    assert drawn.asked[1][0] == "this flower has red petals too"


def test_report_names_every_measure_with_that_of_real_pictures(painted: Evaluation) -> None:
    console = _console()
    evaluate_drawings.report({"checkpoint": "painter"} | dict(painted.metrics), console)
    text = console.export_text()
    for name in ("FD-Lite2", "KID-Lite2", "IS-Lite2", "R-precision", "colour all", "variety"):
        assert name in text


def _console() -> Console:
    return Console(width=200, record=True, file=io.StringIO())
