"""training/stackgan_v2.py: the paper's losses."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.stackgan_v2 import TINY
from tests.training.toys import build
from training.stackgan_v2 import PAPER, SMALL, StackganV2Trainer, colour_consistency

RECIPE = replace(SMALL, model=TINY, batch_size=4, lambda_feature=0)


def test_pictures_of_the_same_colours_are_consistent() -> None:
    small = torch.rand(2, 3, 4, 4)
    large = small.repeat_interleave(2, -1).repeat_interleave(2, -2)
    assert colour_consistency([small, large], 5.0).item() == pytest.approx(0, abs=1e-10)


def test_another_mean_colour_costs_its_square_and_another_spread_more() -> None:
    flat = torch.zeros(1, 3, 4, 4)
    assert colour_consistency([flat, flat + 0.5], 5.0).item() == pytest.approx(0.25)
    striped = flat.clone()
    striped[..., ::2], striped[..., 1::2] = 1, -1  # mean 0, every covariance 1
    assert colour_consistency([flat, striped], 5.0).item() == pytest.approx(5.0)


def test_without_jcu_there_are_no_unconditional_losses(toys: Path) -> None:
    joint = build(StackganV2Trainer, RECIPE, "stackgan_v2", toys, steps=4).train_step(0)
    without = replace(RECIPE, model=replace(TINY, jcu=False))
    single = build(StackganV2Trainer, without, "stackgan_v2", toys, steps=4).train_step(0)
    assert joint.keys() - single.keys() == {"d_free", "g_free"}


def test_without_conditioning_augmentation_there_is_no_divergence_to_lower(toys: Path) -> None:
    recipe = replace(RECIPE, model=replace(TINY, augments=False))
    trainer = build(StackganV2Trainer, recipe, "stackgan_v2", toys, steps=4)
    assert "g_kl" not in trainer.train_step(0)


def test_one_branch_has_one_discriminator_and_no_sizes_to_compare(toys: Path) -> None:
    recipe = replace(RECIPE, model=replace(TINY, one_branch=True))
    trainer = build(StackganV2Trainer, recipe, "stackgan_v2", toys, steps=4)
    assert len(trainer.discs) == 1
    assert "g_colour" not in trainer.train_step(0)


def test_the_paper_recipe_is_the_published_one() -> None:
    assert (PAPER.lambda_kl, PAPER.lambda_free, PAPER.lambda_colour) == (2.0, 1.0, 0.0)
    assert (PAPER.batch_size, PAPER.halve_every, PAPER.fade) == (24, None, 0)
    assert PAPER.model.sides == (64, 128, 256)
