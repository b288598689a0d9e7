"""Tensors become pictures and pictures tensors, without loss of a level."""

import numpy as np
import torch

from models.pictures import to_levels, to_picture, to_tensor


def test_a_picture_comes_back_as_it_went() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    tensor = torch.from_numpy(levels.astype(np.float32)).permute(2, 0, 1) / 127.5 - 1
    picture = to_picture(tensor)
    assert np.array_equal(np.asarray(picture), levels)
    assert torch.allclose(to_tensor(picture), tensor, atol=1e-6)


def test_levels_of_many_pictures_are_those_of_each_and_stay_in_range() -> None:
    many = torch.randn(2, 3, 3, 8, 8) * 2
    levels = to_levels(many)
    assert levels.shape == (2, 3, 8, 8, 3)
    assert np.array_equal(levels[1, 2], np.asarray(to_picture(many[1, 2])))
    assert (levels.min(), levels.max()) == (0, 255)
