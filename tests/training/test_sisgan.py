"""training/sisgan.py: it learns, stops, and goes on as if it had not."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.checkpoint import Header, read_header
from models.lite import load_lite
from models.sisgan import TINY, Sisgan
from models.text.vocabulary import Vocabulary
from models.text.vse import SentenceReader
from models.weights import load
from tests.training.captioned import WORDS, toy_pictures
from tests.training.toys import costs_of_grey, costs_of_right_half
from training.augment import Augmentation
from training.data import Sampling
from training.loop import Diverged, RunSettings, run
from training.sisgan import (
    PAPER,
    SMALL,
    NeedsVgg16,
    OtherVocabulary,
    Recipe,
    SisganTrainer,
    relevant_text,
)

RECIPE = replace(SMALL, model=TINY, batch_size=6, lambda_feature=0)
ENCODERS = pytest.mark.parametrize("encoder", ["plain", "lite0"])


def test_half_of_a_batch_is_redrawn_by_its_own_captions() -> None:
    right, wrong = torch.ones(4, 2), torch.zeros(4, 2)
    assert relevant_text(right, wrong)[:, 0].tolist() == [0, 0, 1, 1]


def test_the_picture_with_its_own_caption_gets_nearer_to_itself(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, replace(RECIPE, learning_rate=3e-3), total=1000)
    losses = [trainer.train_step(step)["g_rec"] for step in range(100)]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


def test_what_is_outside_the_object_stays(tmp_path: Path) -> None:
    strict = replace(RECIPE, lambda_outside=100, lambda_rec=0, learning_rate=3e-3)
    trainer = _trainer(tmp_path, strict, total=1000)
    losses = costs_of_right_half(trainer, 60)
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


def test_edits_come_nearer_to_what_was_asked_for_where_that_is_known(tmp_path: Path) -> None:
    strict = replace(RECIPE, lambda_asked=50, lambda_rec=0, learning_rate=3e-3)
    losses = costs_of_grey(_trainer(tmp_path, strict, total=1000), 100)
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


def test_the_discriminator_learns_which_words_go_with_a_picture(tmp_path: Path) -> None:
    model = replace(TINY, disc_widths=(8, 16, 16), disc_text_dim=8)
    recipe = replace(RECIPE, model=model, learning_rate=1e-2, augmentation=Augmentation())
    trainer = _trainer(tmp_path, recipe, total=1000)
    losses = [_pairs(trainer.train_step(step)) for step in range(80)]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


@ENCODERS
def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path: Path, encoder: str) -> None:
    model = replace(TINY, image_size=32, encoder=encoder)
    recipe = replace(RECIPE, model=model, lambda_feature=1)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(_trainer(tmp_path, recipe), RunSettings(whole, steps=6))
    run(_trainer(tmp_path, recipe), RunSettings(broken, steps=3))
    path = run(_trainer(tmp_path, recipe), RunSettings(broken, steps=6))
    assert path is not None
    expected = load(whole / path.name).state_dict()
    for key, value in load(path).state_dict().items():
        assert torch.equal(value, expected[key]), key


def test_what_is_pretrained_stays_as_it_was(tmp_path: Path) -> None:
    recipe = replace(RECIPE, model=replace(TINY, image_size=32, encoder="lite0"))
    trainer = _trainer(tmp_path, recipe)
    for step in range(2):
        trainer.train_step(step)
    text = _text(trainer.net.vocabulary).state_dict()
    for net in (trainer.net, trainer.average.copy):
        assert isinstance(net, Sisgan)
        for key, value in load_lite("lite0").state_dict().items():
            assert torch.equal(net.generator.encoder.eyes.state_dict()[key], value), key
        for key, value in text.items():
            assert torch.equal(net.text.state_dict()[key], value), key


def test_the_export_says_what_it_was_trained_on_and_for_how_long(tmp_path: Path) -> None:
    path = run(_trainer(tmp_path), RunSettings(tmp_path / "run", steps=6))
    assert path is not None
    header = read_header(path)
    assert (header.id, header.steps, header.pictures) == ("sisgan-toys-16", 6, 36)
    assert (tmp_path / "run" / "sheets" / "0000006.png").exists()


def test_a_loss_that_is_not_a_number_stops_the_run(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path)
    with torch.no_grad():
        trainer.net.generator.to_rgb.weight.fill_(torch.nan)
    with pytest.raises(Diverged, match="step 0"):
        run(trainer, RunSettings(tmp_path / "run", steps=3))
    assert not (tmp_path / "run" / "state.pt").exists()


def test_a_text_encoder_of_other_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OtherVocabulary, match="vocabulary of the text encoder"):
        _trainer(tmp_path, text=_text(Vocabulary(("a", "bird"))))


def test_training_through_vgg16_is_refused(tmp_path: Path) -> None:
    model = replace(TINY, encoder="vgg16", widths=(4, 6, 512))
    with pytest.raises(NeedsVgg16, match="not shipped"):
        _trainer(tmp_path, replace(RECIPE, model=model))


def test_the_paper_recipe_is_the_published_one() -> None:
    assert (PAPER.batch_size, PAPER.learning_rate, PAPER.lambda_kl) == (64, 2e-4, 1)
    assert (PAPER.lambda_rec, PAPER.lambda_feature, PAPER.halve_every) == (0, 0, 600_000)
    assert PAPER.model.widths == (128, 256, 512)
    assert PAPER.sampling == Sampling()


def _pairs(losses: object) -> float:
    assert isinstance(losses, dict)
    return losses["d_right"] + losses["d_wrong"]


def _text(words: Vocabulary = WORDS) -> SentenceReader:
    """A text encoder with random weights, always the same."""
    torch.manual_seed(1)
    return SentenceReader(TINY.text, words).eval()


def _trainer(
    folder: Path,
    recipe: Recipe = RECIPE,
    total: int = 6,
    text: SentenceReader | None = None,
) -> SisganTrainer:
    side = recipe.model.image_size
    pictures = toy_pictures(folder, side, recipe.sampling)
    header = Header("sisgan", "toys", side, {}, WORDS.words, examples=("a red thing",))
    return SisganTrainer(recipe, pictures, pictures, header, text=text or _text(), steps=total)
