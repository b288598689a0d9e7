"""training/attngan.py: each stage learns, words count, and a run can be broken off."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from models import damsm
from models.attngan import TINY
from models.checkpoint import Header, read_header
from models.damsm import Damsm
from models.text.vocabulary import Vocabulary
from models.weights import load
from tests.training.captioned import WORDS, toy_pictures
from training.attngan import PAPER, SMALL, AttnganTrainer, OtherVocabulary, Recipe
from training.data import Sampling
from training.loop import Diverged, RunSettings, run

RECIPE = replace(
    SMALL,
    model=replace(TINY, upsample="subpixel"),
    batch_size=6,
    lambda_feature=0,
    sampling=Sampling(),
)
ENCODERS = damsm.Config(word_dim=6, text_dim=8, image_encoder="lite0")


def test_the_generator_learns_what_the_image_encoder_finds_in_captions(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, replace(RECIPE, learning_rate=3e-3, fade=0))
    losses = [trainer.train_step(0)["g_damsm"] for _ in range(40)]  # one batch, over and over
    assert sum(losses[-5:]) < 0.75 * sum(losses[:5])


def test_every_stages_discriminator_learns_what_is_drawn(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, replace(RECIPE, learning_rate=2e-3, fade=0))
    trainer.opt_net.step = Mock()  # the generator stands still
    rows = [trainer.train_step(step) for step in range(30)]
    for name in ("d_8", "d_16"):
        losses = [row[name] for row in rows]
        assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_damsm_and_conditioning_augmentation_are_switches(tmp_path: Path) -> None:
    plain = replace(RECIPE, lambda_damsm=0, model=replace(RECIPE.model, augments=False))
    missing = _trainer(tmp_path).train_step(0).keys() - _trainer(tmp_path, plain).train_step(0)
    assert missing == {"g_damsm", "g_kl"}


def test_a_generator_that_paints_once_has_one_discriminator(tmp_path: Path) -> None:
    once = replace(RECIPE.model, paints_every_stage=False, blocks=0)  # AttnDCGAN
    losses = _trainer(tmp_path, replace(RECIPE, model=once)).train_step(0)
    assert losses.keys() == {"d_16", "g_16", "g_damsm", "g_kl"}


def test_the_encoders_stay_as_they_came(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path)
    before = {k: v.clone() for k, v in trainer.damsm.state_dict().items()}
    trainer.train_step(0)
    assert all(torch.equal(v, before[k]) for k, v in trainer.damsm.state_dict().items())
    for key, value in trainer.net.text.state_dict().items():
        assert torch.equal(value, before[f"text.{key}"]), key


@pytest.mark.parametrize("lambda_feature", [0.0, 1.0], ids=["plain", "lite"])
def test_a_resumed_run_ends_where_an_unbroken_one_does(
    tmp_path: Path, lambda_feature: float
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    recipe = replace(RECIPE, lambda_feature=lambda_feature)
    recipe = replace(recipe, model=replace(recipe.model, image_size=32))
    run(_trainer(tmp_path, recipe), RunSettings(whole, steps=6))
    run(_trainer(tmp_path, recipe), RunSettings(broken, steps=3))
    path = run(_trainer(tmp_path, recipe), RunSettings(broken, steps=6))
    assert path is not None
    expected = load(whole / path.name).state_dict()
    for key, value in load(path).state_dict().items():
        assert torch.equal(value, expected[key]), key


def test_the_export_draws_from_words_and_says_how_long_it_learnt(tmp_path: Path) -> None:
    path = run(_trainer(tmp_path), RunSettings(tmp_path / "run", steps=6))
    assert path is not None
    header = read_header(path)
    assert (header.id, header.steps, header.pictures) == ("attngan-toys-16", 6, 36)
    assert header.config["text_dim"] == ENCODERS.text_dim
    assert (tmp_path / "run" / "sheets" / "0000006.png").exists()
    system = load(path)
    noise = torch.zeros(1, system.noise_dim)
    image = system.generate(system.encode_text(["a red thing"]), noise).image
    assert image.shape == (1, 3, 16, 16)


def test_the_text_encoders_sizes_are_those_of_the_encoders_given(tmp_path: Path) -> None:
    recipe = replace(RECIPE, model=replace(RECIPE.model, text_dim=100, word_dim=100))
    assert _trainer(tmp_path, recipe).net.cfg.text_dim == ENCODERS.text_dim


def test_captions_read_with_another_vocabulary_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OtherVocabulary, match="vocabulary of the DAMSM"):
        _trainer(tmp_path, encoders=Damsm(ENCODERS, Vocabulary(("other",))))


def test_a_loss_that_is_not_a_number_stops_the_run(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path)
    with torch.no_grad():
        trainer.net.generator.to_rgb[0].weight.fill_(torch.nan)
    with pytest.raises(Diverged, match="step 0"):
        run(trainer, RunSettings(tmp_path / "run", steps=3))
    assert not (tmp_path / "run" / "state.pt").exists()


def test_the_paper_recipe_is_the_published_one() -> None:
    assert (PAPER.lambda_damsm, PAPER.lambda_kl, PAPER.lambda_feature) == (5, 1, 0)
    assert (PAPER.batch_size, PAPER.learning_rate, PAPER.fade) == (20, 2e-4, 0)
    assert PAPER.model.sides == (64, 128, 256)
    assert PAPER.sampling == Sampling()


def test_the_rate_fades_out_over_the_last_steps(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, replace(RECIPE, fade=0.5), total=8)
    rates = []
    for step in (0, 4, 6):
        trainer.train_step(step)
        rates.append(trainer.opt_net.param_groups[0]["lr"] / RECIPE.learning_rate)
    assert rates == pytest.approx([1, 1, 0.5])


def _trainer(
    folder: Path, recipe: Recipe = RECIPE, *, encoders: Damsm | None = None, total: int = 6
) -> AttnganTrainer:
    torch.manual_seed(0)
    size = recipe.model.image_size
    pictures = toy_pictures(folder, size, recipe.sampling)
    header = Header("attngan", "toys", size, {}, WORDS.words, examples=("a red thing",))
    return AttnganTrainer(
        recipe,
        pictures,
        pictures,
        header,
        damsm=encoders or Damsm(ENCODERS, WORDS),
        steps=total,
    )
