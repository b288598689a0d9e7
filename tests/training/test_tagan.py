"""training/tagan.py and training/loop.py: it learns, stops, and goes on as if it had not."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.checkpoint import Header, read_header
from models.tagan import TINY, Tagan
from models.weights import load
from tests.training.toys import WORDS, costs_of_grey, costs_of_right_half, write_toys
from training.data import CaptionedPictures, Sampling, read_split
from training.loop import Diverged, RunSettings, run
from training.tagan import PAPER, SMALL, Recipe, TaganTrainer

RECIPE = replace(
    SMALL,
    model=replace(TINY, blend=True, skips=True, upsample="subpixel"),
    batch_size=6,
    lambda_feature=0,
)


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    return write_toys(tmp_path)


def test_the_picture_with_its_own_caption_gets_nearer_to_itself(toys: Path) -> None:
    trainer = _trainer(toys, replace(RECIPE, lambda_cond=0, own_share=1.0), total=1000)
    losses = [trainer.train_step(step)["g_rec"] for step in range(60)]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


def test_the_discriminator_learns_which_words_go_with_a_picture(toys: Path) -> None:
    trainer = _trainer(toys, replace(RECIPE, learning_rate=2e-3), total=1000)
    losses = [trainer.train_step(step)["d_cond"] for step in range(80)]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_what_is_outside_the_object_stays(toys: Path) -> None:
    strict = replace(RECIPE, lambda_outside=100, lambda_cond=0, learning_rate=3e-3)
    trainer = _trainer(toys, strict, total=1000)
    losses = costs_of_right_half(trainer, 40)
    assert sum(losses[-5:]) < 0.3 * sum(losses[:5])


def test_edits_come_nearer_to_what_was_asked_for_where_that_is_known(toys: Path) -> None:
    strict = replace(RECIPE, lambda_asked=50, lambda_cond=0, learning_rate=3e-3)
    losses = costs_of_grey(_trainer(toys, strict, total=1000), 60)
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


def test_it_begins_with_a_checkpoints_word_level_too(toys: Path, tmp_path: Path) -> None:
    path = run(_trainer(toys), RunSettings(tmp_path / "run", steps=6))
    assert path is not None
    trained = load(path)
    assert isinstance(trained, Tagan)
    assert trained.judge is not None
    assert trained.judge_words is not None
    trainer = _trainer(toys)
    trainer.begin_with(trained)
    own = trainer.disc.state_dict()
    for key, value in trained.judge.state_dict().items():
        assert torch.equal(own[key], value), key
    assert torch.equal(trainer.disc_words.weight, trained.judge_words.weight)
    assert torch.equal(trainer.net.embedding.weight, trained.embedding.weight)


@pytest.mark.parametrize("recipe", [RECIPE, replace(RECIPE, lambda_feature=1.0)], ids=["", "lite"])
def test_a_resumed_run_ends_where_an_unbroken_one_does(
    toys: Path, tmp_path: Path, recipe: Recipe
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    model = replace(TINY, image_size=32) if recipe is not RECIPE else RECIPE.model
    recipe = replace(recipe, model=model)
    run(_trainer(toys, recipe), RunSettings(whole, steps=6))
    run(_trainer(toys, recipe, total=6), RunSettings(broken, steps=3))
    path = run(_trainer(toys, recipe), RunSettings(broken, steps=6))
    assert path is not None
    expected = load(whole / path.name).state_dict()
    for key, value in load(path).state_dict().items():
        assert torch.equal(value, expected[key]), key


def test_the_export_says_what_it_was_trained_on_and_for_how_long(
    toys: Path, tmp_path: Path
) -> None:
    path = run(_trainer(toys), RunSettings(tmp_path / "run", steps=6))
    assert path is not None
    header = read_header(path)
    assert (header.id, header.steps, header.pictures) == ("tagan-toys-16", 6, 36)
    assert header.data == "three toys"
    assert (tmp_path / "run" / "sheets" / "0000006.png").exists()


def test_the_export_scores_words_as_the_discriminator_does(toys: Path, tmp_path: Path) -> None:
    trainer = _trainer(toys, total=2)
    path = run(trainer, RunSettings(tmp_path / "run", steps=2))
    assert path is not None
    judge, trained = load(path).judge.state_dict(), trainer.disc.state_dict()
    assert judge.keys() < trained.keys()
    for key, value in judge.items():
        if value.is_floating_point():
            assert torch.equal(value, trained[key].half().float()), key


def test_a_loss_that_is_not_a_number_stops_the_run(toys: Path, tmp_path: Path) -> None:
    trainer = _trainer(toys)
    with torch.no_grad():
        trainer.net.generator.to_rgb.weight.fill_(torch.nan)
    with pytest.raises(Diverged, match="step 0"):
        run(trainer, RunSettings(tmp_path / "run", steps=3))
    assert not (tmp_path / "run" / "state.pt").exists()


def test_the_paper_recipe_is_the_published_one() -> None:
    assert (PAPER.lambda_cond, PAPER.lambda_rec, PAPER.lambda_feature) == (10, 0.2, 0)
    assert PAPER.model.widths == (64, 128, 256, 512)
    assert PAPER.sampling == Sampling()


def _trainer(toys: Path, recipe: Recipe = RECIPE, total: int = 6) -> TaganTrainer:
    examples = read_split(toys, "train")
    pictures = CaptionedPictures(
        examples,
        WORDS,
        image_size=recipe.model.image_size,
        max_words=9,
        cache=toys / "cache",
        sampling=recipe.sampling,
    )
    header = Header(
        "tagan",
        "toys",
        recipe.model.image_size,
        {},
        WORDS.words,
        examples=("a red thing",),
        data="three toys",
    )
    return TaganTrainer(recipe, pictures, pictures, header, steps=total)
