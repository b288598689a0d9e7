"""training/generation.py and the trainers on it: they learn, stop, and resume unharmed."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from models import gan_int_cls, stackgan, stackgan_v2
from models.checkpoint import read_header
from models.text.captions import Reading, TrainedReader, reader
from models.text.vocabulary import Vocabulary
from models.weights import load
from tests.training.toys import build, toy_header, toy_pictures
from training import gan_int_cls as training_gan_int_cls
from training import stackgan as training_stackgan
from training import stackgan_v2 as training_stackgan_v2
from training.gan_int_cls import GanIntClsTrainer
from training.generation import GenerationTrainer
from training.joint_embedding import OtherReading
from training.loop import Diverged, RunSettings, run
from training.stackgan import StackganTrainer
from training.stackgan_v2 import StackganV2Trainer

KINDS: dict[str, tuple[type[GenerationTrainer], Any, Any]] = {
    "gan_int_cls": (GanIntClsTrainer, training_gan_int_cls, gan_int_cls.TINY),
    "stackgan": (
        StackganTrainer,
        training_stackgan,
        replace(stackgan.TINY, stages=1, image_size=16, gen_channels=16, disc_channels=8),
    ),
    "stackgan_v2": (
        StackganV2Trainer,
        training_stackgan_v2,
        replace(stackgan_v2.TINY, disc_channels=8),
    ),
}
EVERY = pytest.mark.parametrize("system", KINDS)


@EVERY
def test_captions_come_to_fit_their_pictures_and_discriminators_learn(
    toys: Path, system: str
) -> None:
    trainer = _trainer(toys, system, total=1000, learning_rate=2e-3, reader_rate=3e-3)
    trainer.optimizers["generator"].step = Mock()  # the generator stands still
    rows = [trainer.train_step(step) for step in range(30)]
    joint = [row["joint"] for row in rows]
    judged = [sum(loss for name, loss in row.items() if name.startswith("d_")) for row in rows]
    assert sum(joint[-5:]) < 0.5 * sum(joint[:5])
    assert sum(judged[-5:]) < 0.9 * sum(judged[:5])


@EVERY
@pytest.mark.parametrize("lambda_feature", [0.0, 1.0])
def test_a_resumed_run_ends_where_an_unbroken_one_does(
    toys: Path, tmp_path: Path, system: str, lambda_feature: float
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    options = {"lambda_feature": lambda_feature, "fade": 0.2}
    run(_trainer(toys, system, **options), RunSettings(whole, steps=4))
    run(_trainer(toys, system, **options), RunSettings(broken, steps=2))
    path = run(_trainer(toys, system, **options), RunSettings(broken, steps=4))
    assert path is not None
    expected = load(whole / path.name).state_dict()
    for key, value in load(path).state_dict().items():
        assert torch.equal(value, expected[key]), key


@EVERY
def test_the_export_says_what_it_was_trained_on(toys: Path, tmp_path: Path, system: str) -> None:
    path = run(_trainer(toys, system), RunSettings(tmp_path / "run", steps=2))
    assert path is not None
    header = read_header(path)
    assert header.id == f"{system.replace('_', '-')}-toys-16"
    assert (header.steps, header.pictures) == (2, 12)
    assert (tmp_path / "run" / "sheets" / "0000002.png").exists()


def test_a_loss_that_is_not_a_number_stops_the_run(toys: Path, tmp_path: Path) -> None:
    trainer = _trainer(toys, "stackgan_v2")
    with torch.no_grad():
        trainer.net.generator.augment.fc[0].weight.fill_(torch.nan)
    with pytest.raises(Diverged, match="step 0"):
        run(trainer, RunSettings(tmp_path / "run", steps=3))


def test_the_gan_does_not_change_how_captions_are_read(toys: Path) -> None:
    trainer = _trainer(toys, "stackgan_v2", reader_rate=0.0)
    before = {key: value.clone() for key, value in trainer.net.reader.state_dict().items()}
    trainer.train_step(0)
    for key, value in trainer.net.reader.state_dict().items():
        assert torch.equal(value, before[key]), key


@EVERY
def test_a_trained_reader_of_letters_stays_as_it_is_and_is_served(
    toys: Path, tmp_path: Path, system: str
) -> None:
    kind, module, tiny = KINDS[system]
    cfg = Reading("char-rnn", text_dim=tiny.text_dim)
    text = TrainedReader(cfg, Vocabulary(()), reader(cfg, Vocabulary(())))
    model = replace(tiny, **asdict(cfg))
    recipe = replace(module.SMALL, model=model, batch_size=4, lambda_feature=0)
    trainer = build(kind, recipe, system, toys, text=text, steps=4)
    assert "joint" not in trainer.train_step(0)
    served = load(trainer.export(tmp_path, steps=1, hours=0.0))
    captions = ["a zygomorphic thing", "blue"]
    expected = text.encoder.read(captions).sentence
    torch.testing.assert_close(served.encode_text(captions).sentence, expected, atol=1e-3, rtol=0)
    assert served.vocabulary.unknown_words("a zygomorphic thing") == []


def test_captions_given_otherwise_than_they_are_read_are_refused(toys: Path) -> None:
    recipe = replace(training_gan_int_cls.SMALL, model=gan_int_cls.TINY)
    words, letters = (toy_pictures(toys, 16, by_characters=spelt) for spelt in (False, True))
    header = toy_header("gan_int_cls", 16)
    with pytest.raises(OtherReading, match="reader='words'"):
        GanIntClsTrainer(recipe, letters, letters, header, steps=1)
    with pytest.raises(OtherReading, match="other words"):
        GanIntClsTrainer(recipe, words, words, replace(header, words=("a",)), steps=1)


def _trainer(
    toys: Path, system: str, *, total: int = 4, model: Any = None, **changes: Any
) -> GenerationTrainer:
    kind, module, tiny = KINDS[system]
    quick: dict[str, Any] = {"batch_size": 6, "lambda_feature": 0, "fade": 0}
    recipe = replace(module.SMALL, model=model or tiny, **(quick | changes))
    return build(kind, recipe, system, toys, steps=total)
