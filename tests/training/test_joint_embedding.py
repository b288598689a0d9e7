"""training/joint_embedding.py: captions come to tell pictures apart, by words and by letters."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch

from models.lite import load_lite
from models.text.captions import Reading, TrainedReader
from models.text.vocabulary import Vocabulary
from tests.training.toys import WORDS, toy_pictures
from training.joint_embedding import (
    PAPER,
    SMALL,
    ImageSide,
    JointEmbeddingTrainer,
    OtherReading,
    joint_embedding_loss,
    same_captions,
)
from training.loop import RunSettings, run

Reader = Literal["words", "char-gru", "char-rnn"]


def test_pairs_that_are_far_enough_apart_cost_nothing() -> None:
    pictures = 10 * torch.eye(3)
    alike = torch.eye(3, dtype=torch.bool)
    assert joint_embedding_loss(pictures, pictures, alike) == 0


def test_each_wrong_pair_costs_what_it_lacks_of_the_margin() -> None:
    pictures = torch.tensor([[1.0], [0.0]])
    captions = torch.tensor([[1.0], [0.0]])  # scores [[1, 0], [0, 0]]
    alike = torch.eye(2, dtype=torch.bool)
    # margins: by picture 1+0-1 and 1+0-0, by caption 1+0-0 and 1+0-1; over two wrong pairs
    assert joint_embedding_loss(pictures, captions, alike).item() == 1.0


def test_a_caption_that_fits_both_pictures_is_not_held_against_either() -> None:
    captions = torch.tensor([[2, 3, 0], [2, 3, 0], [2, 4, 0]])
    assert same_captions(captions).tolist() == [
        [True, True, False],
        [True, True, False],
        [False, False, True],
    ]
    vectors = torch.randn(2, 4)
    assert joint_embedding_loss(vectors, vectors, torch.ones(2, 2, dtype=torch.bool)) == 0


def test_only_the_projection_of_a_picture_is_learnt() -> None:
    side = ImageSide(load_lite("lite0"), 8)
    vectors = side(torch.rand(2, 3, 32, 32))
    assert vectors.shape == (2, 8)
    vectors.sum().backward()
    learnt = [name for name, p in side.named_parameters() if p.grad is not None]
    assert learnt == ["project.weight", "project.bias"]


@pytest.mark.parametrize("reader", ["words", "char-rnn"])
def test_pictures_find_their_captions(toys: Path, reader: Reader) -> None:
    trainer = _trainer(toys, reader, total=1000)
    losses = [trainer.train_step(step)["joint"] for step in range(30)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert trainer.accuracy() == 1


@pytest.mark.parametrize("reader", ["words", "char-gru"])
def test_a_resumed_run_writes_the_text_encoder_of_an_unbroken_one(
    toys: Path, tmp_path: Path, reader: Reader
) -> None:
    whole = run(_trainer(toys, reader), RunSettings(tmp_path / "whole", steps=4))
    run(_trainer(toys, reader), RunSettings(tmp_path / "broken", steps=2))
    path = run(_trainer(toys, reader), RunSettings(tmp_path / "broken", steps=4))
    assert whole is not None
    assert path is not None
    assert (tmp_path / "broken" / "sheets" / "0000004.png").exists()
    first, second = TrainedReader.load(whole), TrainedReader.load(path)
    assert first.cfg == second.cfg
    assert first.vocabulary == (WORDS if reader == "words" else Vocabulary(()))
    read = [text.encoder.read(["a red thing", "blue"]).sentence for text in (first, second)]
    assert torch.equal(*read)


def test_pictures_of_one_class_are_not_held_against_each_other(toys: Path) -> None:
    trainer = _trainer(toys, "words", by_class=True)
    trainer.data.class_numbers[:] = 0
    assert trainer.train_step(0)["joint"] == 0


def test_words_are_not_read_by_letters(toys: Path) -> None:
    pictures = toy_pictures(toys, 32)
    with pytest.raises(OtherReading, match="char-gru"):
        JointEmbeddingTrainer(PAPER, pictures, pictures, steps=1)


def test_the_paper_recipe_is_the_published_one() -> None:
    assert (PAPER.batch_size, PAPER.learning_rate, PAPER.decay) == (40, 7e-4, 0.98)
    assert PAPER.by_class
    assert (PAPER.model.reader, PAPER.model.text_dim, PAPER.image_size) == ("char-gru", 1024, 224)


def _trainer(
    toys: Path, reader: Reader, total: int = 4, *, by_class: bool = False
) -> JointEmbeddingTrainer:
    model = Reading(reader, text_dim=16, word_dim=6, max_words=9)
    recipe = replace(SMALL, model=model, image_size=32, batch_size=6, by_class=by_class)
    pictures = toy_pictures(toys, 32, by_characters=model.by_characters)
    return JointEmbeddingTrainer(recipe, pictures, pictures, steps=total)
