"""training/style_encoder.py: S learns to invert a generator that stays as it is."""

from dataclasses import replace
from pathlib import Path

import torch

from models.checkpoint import read_header
from models.gan_int_cls import TINY, GanIntCls
from models.weights import load
from tests.training.toys import WORDS, toy_header, toy_pictures
from training.loop import RunSettings, run
from training.style_encoder import Recipe, StyleTrainer

CFG = replace(TINY, gen_channels=16, disc_channels=8)
RECIPE = Recipe(batch_size=8, learning_rate=2e-3)


def test_noise_is_read_off_the_generators_pictures(toys: Path) -> None:
    trainer = _trainer(toys, GanIntCls(CFG, WORDS), total=1000)
    losses = [trainer.train_step(step)["style"] for step in range(80)]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_the_generator_and_its_words_stay_as_they_were(toys: Path) -> None:
    trained = GanIntCls(CFG, WORDS)
    trainer = _trainer(toys, trained)
    trainer.train_step(0)
    for net in (trainer.net, trainer.average.copy):
        for key, value in trained.state_dict().items():
            assert torch.equal(net.state_dict()[key], value), key


def test_a_resumed_run_ends_where_an_unbroken_one_does(toys: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    trained = GanIntCls(CFG, WORDS)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(_trainer(toys, trained), RunSettings(whole, steps=4))
    run(_trainer(toys, trained), RunSettings(broken, steps=2))
    path = run(_trainer(toys, trained), RunSettings(broken, steps=4))
    assert path is not None
    assert read_header(path).id == "style-encoder-toys-16"
    assert (broken / "sheets" / "0000004.png").exists()
    expected = load(whole / path.name).state_dict()
    for key, value in load(path).state_dict().items():
        assert torch.equal(value, expected[key]), key


def _trainer(toys: Path, trained: GanIntCls, total: int = 4) -> StyleTrainer:
    pictures, header = toy_pictures(toys, 16), toy_header("style_encoder", 16)
    return StyleTrainer(RECIPE, pictures, pictures, header, trained=trained, steps=total)
