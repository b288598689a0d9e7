"""training/joint_embedding.py"""

import torch

from models.lite import load_lite
from training.joint_embedding import ImageSide, joint_embedding_loss, same_captions


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
