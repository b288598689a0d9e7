"""training/augment.py"""

import torch

from training.augment import Augmentation


def test_nothing_asked_for_changes_nothing() -> None:
    image = torch.rand(2, 3, 16, 16)
    assert torch.equal(Augmentation()(image, torch.Generator()), image)


def test_a_move_keeps_shape_and_colours() -> None:
    image = torch.arange(16.0).expand(2, 3, 16, 16)
    moved = Augmentation(translation=0.25)(image, torch.Generator().manual_seed(1))
    assert moved.shape == image.shape
    assert set(moved.unique().tolist()) <= set(image.unique().tolist())
    assert not torch.equal(moved, image)


def test_gradients_reach_the_picture() -> None:
    image = torch.rand(1, 3, 16, 16, requires_grad=True)
    Augmentation(translation=0.25, noise=0.1)(image, torch.Generator()).sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
