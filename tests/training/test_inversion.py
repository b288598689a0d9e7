"""training/inversion.py: photos are found again in a generator that stays as it is."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models import gan_int_cls, tagan
from models.checkpoint import read_header
from models.inversion import Config, NotInvertible
from models.stackgan_v2 import TINY, StackganV2
from models.weights import load
from tests.training.toys import WORDS, toy_header, toy_pictures
from training.inversion import PAPER, InversionTrainer, Recipe
from training.loop import RunSettings, run

RECIPE = Recipe(
    Config(channels=8, most_channels=16, disc_channels=4, steps=2),
    batch_size=6,
    learning_rate=1e-2,
    lambda_shift=0.05,
)


@pytest.fixture
def trained() -> StackganV2:
    """Never trained, but with colours as full as a trained one's: else it could draw no photo."""
    torch.manual_seed(1)
    system = StackganV2(TINY, WORDS)
    with torch.no_grad():
        system.generator.to_rgb[-1][0].weight.mul_(40)
    return system


def test_photos_are_found_again_better_with_each_look(toys: Path, trained: StackganV2) -> None:
    trainer = _trainer(toys, trained, total=1000)
    losses = [trainer.train_step(step) for step in range(40)]
    for name in ("e_rec", "e_sentence"):
        values = [loss[name] for loss in losses]
        assert sum(values[-5:]) < 0.7 * sum(values[:5]), name


def test_redrawn_pictures_are_judged_with_their_new_caption(
    toys: Path, trained: StackganV2
) -> None:
    trainer = _trainer(toys, trained, replace(RECIPE, lambda_feature=1.0), total=1000)
    losses = [trainer.train_step(step)["d_feature"] for step in range(10)]
    assert sum(losses[-3:]) < 0.9 * sum(losses[:3])


def test_the_generator_and_its_words_stay_as_they_were(toys: Path, trained: StackganV2) -> None:
    trainer = _trainer(toys, trained)
    trainer.train_step(0)
    for net in (trainer.net, trainer.average.copy):
        for key, value in trained.state_dict().items():
            assert torch.equal(net.generator.state_dict()[key], value), key


def test_a_resumed_run_ends_where_an_unbroken_one_does(
    toys: Path, tmp_path: Path, trained: StackganV2
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(_trainer(toys, trained), RunSettings(whole, steps=4))
    run(_trainer(toys, trained), RunSettings(broken, steps=2))
    path = run(_trainer(toys, trained), RunSettings(broken, steps=4))
    assert path is not None
    assert read_header(path).id == "inversion-toys-16"
    assert (broken / "sheets" / "0000004.png").exists()
    expected = load(whole / path.name).state_dict()
    for key, value in load(path).state_dict().items():
        assert torch.equal(value, expected[key]), key


def test_another_generator_can_be_inverted_too(toys: Path) -> None:
    trained = gan_int_cls.GanIntCls(gan_int_cls.TINY, WORDS)
    trainer = _trainer(toys, trained, generator="gan_int_cls")
    assert trainer.train_step(0)["e_rec"] > 0


def test_a_system_that_does_not_draw_from_a_code_is_refused(toys: Path) -> None:
    with pytest.raises(NotInvertible, match="tagan"):
        _trainer(toys, tagan.Tagan(tagan.TINY, WORDS), generator="tagan")


def test_the_paper_recipe_is_the_published_one() -> None:
    assert (PAPER.lambda_adv, PAPER.gamma, PAPER.learning_rate) == (0.1, 10, 1e-4)
    assert (PAPER.model.steps, PAPER.model.rate, PAPER.model.lambda_domain) == (100, 0.01, 2)
    assert (PAPER.lambda_shift, PAPER.lambda_feature) == (0, 0)


def _trainer(
    toys: Path,
    trained: object,
    recipe: Recipe = RECIPE,
    *,
    generator: str = "stackgan_v2",
    total: int = 4,
) -> InversionTrainer:
    pictures, header = toy_pictures(toys, 16), toy_header("inversion", 16)
    return InversionTrainer(
        recipe, pictures, pictures, header, generator=generator, trained=trained, steps=total
    )
