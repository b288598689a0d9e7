"""training/vse.py: captions come to lie near their pictures."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import normalize

from models.text.files import BadReader
from models.text.vse import Reading, SentenceReader
from tests.training.captioned import WORDS, toy_pictures
from training.loop import RunSettings, run
from training.vse import PAPER, SMALL, VseTrainer, ranking_loss, same_words

RECIPE = replace(
    SMALL,
    model=Reading(word_dim=6, text_dim=8, max_words=9),
    image_size=32,
    batch_size=6,
    learning_rate=1e-2,
)


def test_the_loss_is_the_papers_where_no_captions_are_alike() -> None:
    seen, read = (normalize(torch.randn(4, 5), dim=1) for _ in range(2))
    expected = 0.0
    for i in range(4):
        for k in set(range(4)) - {i}:
            expected += max(0, 0.2 - float(seen[i] @ read[i]) + float(seen[i] @ read[k]))
            expected += max(0, 0.2 - float(seen[i] @ read[i]) + float(seen[k] @ read[i]))
    loss = ranking_loss(seen, read, torch.eye(4, dtype=torch.bool), margin=0.2)
    assert loss.item() == pytest.approx(expected / 4, abs=1e-5)


def test_the_same_words_are_no_mismatch() -> None:
    alike = same_words(torch.tensor([[2, 3], [2, 0], [2, 3]]))
    assert alike.tolist() == [[True, False, True], [False, True, False], [True, False, True]]
    vectors = normalize(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]]), dim=1)
    assert ranking_loss(vectors, vectors, alike, margin=0.2).item() == 0


def test_pictures_find_their_captions(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, total=1000)
    losses = [trainer.train_step(step)["ranking"] for step in range(40)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert trainer.accuracy() == 1


def test_a_resumed_run_writes_the_text_encoder_of_an_unbroken_one(tmp_path: Path) -> None:
    whole = run(_trainer(tmp_path), RunSettings(tmp_path / "whole", steps=6))
    run(_trainer(tmp_path), RunSettings(tmp_path / "broken", steps=3))
    path = run(_trainer(tmp_path), RunSettings(tmp_path / "broken", steps=6))
    assert whole is not None
    assert path is not None
    first, second = SentenceReader.load(whole), SentenceReader.load(path)
    assert first.vocabulary == second.vocabulary == WORDS
    captions = ["a red thing", "blue"]
    assert torch.equal(first.read(captions).sentence, second.read(captions).sentence)


def test_another_file_is_no_text_encoder(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(BadReader, match="training vse"):
        SentenceReader.load(tmp_path / "other.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"not one")
    with pytest.raises(BadReader, match="is damaged or missing"):
        SentenceReader.load(tmp_path / "cut.safetensors")


def test_the_paper_recipe_is_the_published_one() -> None:
    assert (PAPER.margin, PAPER.batch_size, PAPER.learning_rate) == (0.2, 64, 2e-4)
    assert (PAPER.model.word_dim, PAPER.model.text_dim, PAPER.image_size) == (300, 300, 224)


def _trainer(folder: Path, total: int = 6) -> VseTrainer:
    pictures = toy_pictures(folder, RECIPE.image_size, RECIPE.sampling)
    return VseTrainer(RECIPE, pictures, pictures, steps=total)
