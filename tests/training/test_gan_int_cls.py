"""training/gan_int_cls.py: GAN-CLS and GAN-INT, each a switch."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.gan_int_cls import TINY
from tests.training.toys import build
from training.gan_int_cls import PAPER, SMALL, GanIntClsTrainer, likeness
from training.generation import Pairs

RECIPE = replace(SMALL, model=TINY, batch_size=4, lambda_feature=0, fade=0)


@pytest.mark.parametrize(
    ("weight", "names"), [(0.5, {"d_real", "d_fake", "d_wrong"}), (0.0, {"d_real", "d_fake"})]
)
def test_without_cls_wrong_captions_are_not_shown(
    toys: Path, weight: float, names: set[str]
) -> None:
    trainer = _trainer(toys, cls_weight=weight)
    assert {name for name in trainer.train_step(0) if name.startswith("d_")} == names


def test_fakes_and_wrong_captions_share_one_weight(toys: Path) -> None:
    losses = {w: _losses(_trainer(toys, cls_weight=w)) for w in (0.25, 0.75)}
    assert losses[0.25]["d_fake"].item() == pytest.approx(3 * losses[0.75]["d_fake"].item())
    assert 3 * losses[0.25]["d_wrong"].item() == pytest.approx(losses[0.75]["d_wrong"].item())


def test_without_int_the_generator_draws_only_captions(toys: Path) -> None:
    assert "g_int" in _trainer(toys).train_step(0)
    assert "g_int" not in _trainer(toys, lambda_int=0.0).train_step(0)


def test_drawings_of_one_caption_are_sent_apart_only_where_that_is_asked_for(toys: Path) -> None:
    assert "g_seek" not in _trainer(toys, lambda_seek=0.0).train_step(0)
    assert "g_seek" in _trainer(toys, lambda_seek=1.0).train_step(0)
    picture = torch.zeros(2, 3, 16, 16)
    assert likeness(picture, picture) > likeness(picture, picture + 0.5) == pytest.approx(2, 0.01)


def test_the_paper_recipe_is_the_published_one() -> None:
    assert (PAPER.cls_weight, PAPER.lambda_int, PAPER.beta) == (0.5, 1.0, 0.5)
    assert (PAPER.lambda_seek, PAPER.model.upsample) == (0, "transposed")
    assert (PAPER.batch_size, PAPER.learning_rate) == (64, 2e-4)


def _trainer(toys: Path, **changes: float) -> GanIntClsTrainer:
    recipe = replace(RECIPE, **changes)
    trainer = build(GanIntClsTrainer, recipe, "gan_int_cls", toys, steps=4)
    assert isinstance(trainer, GanIntClsTrainer)
    return trainer


def _losses(trainer: GanIntClsTrainer) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(3)
    real, fake = (torch.rand(4, 3, 16, 16, generator=draw) for _ in range(2))
    right, wrong = (torch.randn(4, 8, generator=draw) for _ in range(2))
    return trainer.discriminator_losses(Pairs([real], [fake], right, wrong))
