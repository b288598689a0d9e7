"""training/damsm.py: pictures and captions find each other, and a run can be broken off."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from models.damsm import Config, load_damsm
from models.inception import Inception
from tests.training.captioned import WORDS, toy_pictures
from training.damsm import FILE, MEASURE_EVERY, PAPER, SMALL, DamsmTrainer, NeedsInception, Recipe
from training.data import CaptionedPictures, Sampling
from training.loop import Diverged, RunSettings, run

RECIPE = replace(
    SMALL,
    model=Config(word_dim=6, text_dim=8, image_encoder="lite0"),
    image_size=32,
    batch_size=6,
    sampling=Sampling(),
)


def test_pictures_learn_to_find_their_captions(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, replace(RECIPE, learning_rate=1e-2))
    rows = [trainer.train_step(step) for step in range(MEASURE_EVERY)]
    totals = [sum(row[name] for name in row if name != "kept_accuracy") for row in rows]
    assert sum(totals[-5:]) < 0.3 * sum(totals[:5])
    assert "kept_accuracy" not in rows[0]
    assert rows[-1]["kept_accuracy"] == 1


def test_a_single_kept_picture_is_measured_and_drawn_too(tmp_path: Path) -> None:
    pictures = toy_pictures(tmp_path, RECIPE.image_size)
    one = CaptionedPictures(
        pictures.examples[:1], WORDS, image_size=32, max_words=9, cache=tmp_path / "cache"
    )
    trainer = DamsmTrainer(RECIPE, pictures, one)
    assert trainer.accuracy() == 1
    assert trainer.sheet().height > 0


def test_the_frozen_trunk_stays_as_it_was(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path)
    before = {key: value.clone() for key, value in trainer.damsm.state_dict().items()}
    trainer.train_step(0)
    changed = {k for k, v in trainer.damsm.state_dict().items() if not torch.equal(v, before[k])}
    assert not any(".trunk." in key for key in changed)
    assert {"image.to_regions.weight", "image.to_whole.weight", "text.embedding.weight"} <= changed


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(_trainer(tmp_path), RunSettings(whole, steps=6))
    run(_trainer(tmp_path), RunSettings(broken, steps=3))
    run(_trainer(tmp_path), RunSettings(broken, steps=6))
    expected = load_damsm(whole / FILE).state_dict()
    for key, value in load_damsm(broken / FILE).state_dict().items():
        assert torch.equal(value, expected[key]), key
    with Image.open(whole / "sheets" / "0000006.png") as sheet:
        columns = 1 + 3  # the picture, and each word of "a red thing"
        assert sheet.width == columns * 130 - 2


def test_the_export_knows_the_words_and_the_config(tmp_path: Path) -> None:
    run(_trainer(tmp_path), RunSettings(tmp_path / "run", steps=1))
    loaded = load_damsm(tmp_path / "run" / FILE)
    assert (loaded.vocabulary, loaded.cfg) == (WORDS, RECIPE.model)


def test_a_loss_that_is_not_a_number_stops_the_run(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path)
    with torch.no_grad():
        trainer.damsm.image.to_whole.weight.fill_(torch.nan)
    with pytest.raises(Diverged, match="step 0"):
        run(trainer, RunSettings(tmp_path / "run", steps=3))
    assert not (tmp_path / "run" / FILE).exists()


def test_the_paper_recipe_is_the_published_one_and_needs_inceptions_weights(
    tmp_path: Path,
) -> None:
    assert (PAPER.batch_size, PAPER.learning_rate, PAPER.model) == (48, 2e-3, Config())
    assert tuple(PAPER.gammas) == (4, 5, 10)
    paper = replace(RECIPE, model=replace(RECIPE.model, image_encoder="inception"))
    with pytest.raises(NeedsInception, match="give its weights"):
        _trainer(tmp_path, paper)
    given = Inception()
    assert _trainer(tmp_path, paper, given).damsm.image.trunk is given


def test_the_learning_rate_sinks_each_time_all_pictures_were_seen_to_a_tenth(
    tmp_path: Path,
) -> None:
    trainer = _trainer(tmp_path, replace(RECIPE, decay=0.5))  # two rounds of 3 pictures a step
    rates = []
    for step in (0, 1, 2):
        trainer.train_step(step)
        rates.append(trainer.optimizer.param_groups[0]["lr"] / RECIPE.learning_rate)
    assert rates == pytest.approx([1, 0.25, 0.1])


def _trainer(
    folder: Path, recipe: Recipe = RECIPE, inception: Inception | None = None
) -> DamsmTrainer:
    pictures = toy_pictures(folder, recipe.image_size, recipe.sampling)
    return DamsmTrainer(recipe, pictures, pictures, inception=inception)
