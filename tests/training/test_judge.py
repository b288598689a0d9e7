"""Judges learn values from real pictures' captions, and keep what they learnt."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.training.painted import SHADES, write_squares
from training import judge as judging
from training.attributes import find_attribute
from training.judge import BadJudge, Judge, accuracy, labelled

COLOUR = find_attribute("clothes", "colour")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares on white, red or blue, with captions of clothes; the first of each split silver."""
    folder = write_squares(tmp_path_factory.mktemp("judge") / "clothes", "a {colour} t-shirt")
    for split in ("train", "test"):
        path = folder / split / "metadata.jsonl"
        first, *others = path.read_text().splitlines()
        path.write_text("\n".join([first.replace("red", "silver"), *others]))
    return folder


@pytest.fixture(scope="module")
def judge(data: Path) -> Judge:
    """Trained for a few seconds."""
    torch.manual_seed(0)
    learner = Judge("clothes", "colour", ("red", "blue"))
    real = labelled(data, "train", COLOUR, cache=data / "cache", side=76)
    judging.train(learner, real, epochs=8, seed=0, batch=8)
    return learner


def test_a_trained_judge_is_right_on_pictures_it_never_saw(judge: Judge, data: Path) -> None:
    real = labelled(data, "test", COLOUR, cache=data / "cache")
    assert accuracy(judge, real)["all"] == 1


def test_pictures_without_a_clear_colour_are_left_out(data: Path) -> None:
    real = labelled(data, "test", COLOUR, cache=data / "cache")
    assert len(real.pictures) == len(real.values) == 11
    assert real.values[0] == "blue"


def test_a_saved_judge_decides_the_same(judge: Judge, tmp_path: Path) -> None:
    judge.save(tmp_path / "judge.safetensors")
    again = Judge.load(tmp_path / "judge.safetensors")
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert (again.domain, again.attribute, again.values) == ("clothes", "colour", ("red", "blue"))
    assert torch.equal(again.shares(images), judge.shares(images))


def test_a_mirrored_picture_is_judged_the_same(judge: Judge) -> None:
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    assert torch.allclose(judge.shares(images), judge.shares(images.flip(3)), atol=1e-6)


def test_larger_pictures_are_brought_to_size(judge: Judge) -> None:
    red = torch.full((1, 3, 128, 128), 0.96)
    red[:, :, 32:96, 32:96] = torch.tensor(SHADES["red"])[:, None, None] / 127.5 - 1
    assert judge.decide(red) == ["red"]


def test_training_leaves_the_frozen_eyes_alone(judge: Judge) -> None:
    fresh = Judge("clothes", "colour", ("red", "blue")).eyes.state_dict()
    assert all(torch.equal(fresh[key], value) for key, value in judge.eyes.state_dict().items())


def test_another_file_is_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(BadJudge, match="no judge"):
        Judge.load(tmp_path / "other.safetensors")
