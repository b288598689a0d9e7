"""training/tirg.py: queries come to lie near the pictures that answer them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.functional import softplus

from models.checkpoint import Header, read_header
from models.tirg import TINY
from models.weights import load
from tests.training.attributes import shapes, write_shapes
from training.loop import RunSettings, run
from training.queries import queries_of
from training.tirg import PAPER, SMALL, TirgTrainer, softmax_loss, triplet_loss

RECIPE = replace(
    SMALL,
    model=replace(TINY, embed_dim=32, word_dim=16),
    batch_size=24,
    learning_rate=5e-3,
    ema=0.9,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_shapes(tmp_path)


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_asked_for_changes_are_found(data: Path, loss: str) -> None:
    trainer = _trainer(data, replace(RECIPE, loss=loss), total=1000)
    losses = [trainer.train_step(step)[loss] for step in range(60)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert trainer.recall()["recall@1"] > 0.6


def test_pictures_without_attributes_are_asked_for_by_their_captions(tmp_path: Path) -> None:
    trainer = _trainer(write_shapes(tmp_path, attributes=False), RECIPE, total=1000)
    losses = [trainer.train_step(step)["softmax"] for step in range(40)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_a_resumed_run_ends_where_an_unbroken_one_does(data: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(_trainer(data), RunSettings(whole, steps=4))
    run(_trainer(data), RunSettings(broken, steps=2))
    path = run(_trainer(data), RunSettings(broken, steps=4))
    assert path is not None
    assert read_header(path).id == "tirg-shapes-48"
    assert (broken / "sheets" / "0000004.png").exists()
    expected = load(whole / path.name).state_dict()
    for key, value in load(path).state_dict().items():
        assert torch.equal(value, expected[key]), key


def test_softmax_is_over_all_targets_but_those_that_fit_as_well() -> None:
    scores = torch.randn(3, 3)
    alone = torch.eye(3, dtype=torch.bool)
    chances = scores.softmax(1).diagonal()
    assert softmax_loss(scores, alone).item() == pytest.approx(-chances.log().mean().item())
    alike = alone | torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=torch.bool)
    expected = softplus(scores[[0, 1], 2] - scores[[0, 1], [0, 1]]).sum()
    expected -= chances[2].log()
    assert softmax_loss(scores, alike).item() == pytest.approx(expected.item() / 3)


def test_triplets_are_of_each_query_with_each_wrong_target() -> None:
    scores = torch.randn(3, 3)
    expected = [softplus(scores[i, j] - scores[i, i]) for i in range(3) for j in range(3) if i != j]
    loss = triplet_loss(scores, torch.eye(3, dtype=torch.bool))
    assert loss.item() == pytest.approx(torch.stack(expected).mean().item())
    assert triplet_loss(scores, torch.ones(3, 3, dtype=torch.bool)).item() == 0


def test_the_paper_recipe_is_the_published_one() -> None:
    assert (PAPER.batch_size, PAPER.learning_rate, PAPER.momentum) == (32, 1e-2, 0.9)
    assert (PAPER.model.embed_dim, PAPER.model.composition) == (512, "gated")


def _trainer(data: Path, recipe: object = RECIPE, total: int = 4) -> TirgTrainer:
    pictures = shapes(data, RECIPE.model.image_size)
    words = queries_of(pictures.examples).vocabulary(500).words
    header = Header("tirg", "shapes", RECIPE.model.image_size, {}, words)
    return TirgTrainer(recipe, pictures, pictures, header, steps=total)
