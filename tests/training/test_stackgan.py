"""training/stackgan.py: Stage-I, then Stage-II on top of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.stackgan import TINY, Stackgan
from models.text.vocabulary import Vocabulary
from tests.training.toys import WORDS, build
from training.generation import GenerationTrainer
from training.stackgan import PAPER, SMALL, StackganTrainer, WrongSketcher, second_stage

FIRST = replace(
    SMALL, model=replace(TINY, stages=1, image_size=8), batch_size=4, lambda_feature=0, fade=0
)


def test_the_second_stage_is_trained_and_the_first_and_its_words_stay(toys: Path) -> None:
    sketcher = Stackgan(FIRST.model, WORDS)
    trainer = _second(toys, sketcher)
    before = {key: value.clone() for key, value in trainer.net.state_dict().items()}
    losses = trainer.train_step(0)
    after = trainer.net.state_dict()
    changed = {key for key in after if not torch.equal(after[key], before[key])}
    assert changed
    assert all(key.startswith("generator.stage_two.") for key in changed)
    assert "joint" not in losses
    for key, value in sketcher.state_dict().items():
        assert torch.equal(after[key], value), key
        assert torch.equal(trainer.average.copy.state_dict()[key], value), key


def test_the_second_stage_judges_pictures_of_four_times_the_side(toys: Path) -> None:
    assert second_stage(FIRST, FIRST.model).model.image_size == 32
    losses = _second(toys, Stackgan(FIRST.model, WORDS)).train_step(0)
    assert {"d_cond", "d_free", "g_cond", "g_free", "g_kl"} == losses.keys()


def test_a_second_stage_without_a_fitting_first_is_refused(toys: Path) -> None:
    with pytest.raises(WrongSketcher, match="none was given"):
        _second(toys, None)
    with pytest.raises(WrongSketcher, match="other words"):
        _second(toys, Stackgan(FIRST.model, Vocabulary(("a",))))
    with pytest.raises(WrongSketcher, match="draws 16 px, wanted 8"):
        _second(toys, Stackgan(replace(FIRST.model, image_size=16), WORDS))


def test_the_paper_recipe_is_the_published_one() -> None:
    assert (PAPER.lambda_kl, PAPER.batch_size, PAPER.learning_rate) == (2.0, 128, 2e-4)
    assert (PAPER.model.gen_channels, PAPER.model.image_size) == (192, 64)
    assert second_stage(PAPER, PAPER.model).model.image_size == 256


def _second(toys: Path, sketcher: Stackgan | None) -> GenerationTrainer:
    options: dict[str, Any] = {"sketcher": sketcher, "steps": 4}
    return build(StackganTrainer, second_stage(FIRST, FIRST.model), "stackgan", toys, **options)
