"""Tensors inside, pictures outside: the step between."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

Levels = NDArray[np.uint8]


def to_levels(tensor: Tensor) -> Levels:
    """(..., 3, S, S) in [-1, 1] -> (..., S, S, 3), rounded to the nearest of 256 levels."""
    levels = tensor.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return levels.to(torch.uint8).movedim(-3, -1).contiguous().cpu().numpy()


def to_picture(tensor: Tensor) -> Image.Image:
    """(3, S, S) in [-1, 1] -> RGB, rounded to the nearest of 256 levels."""
    return Image.fromarray(to_levels(tensor))


def to_tensor(picture: Image.Image) -> Tensor:
    """RGB, square -> (3, S, S) float32 in [-1, 1]."""
    pixels = torch.from_numpy(np.array(picture, dtype=np.float32))
    return pixels.permute(2, 0, 1).div(127.5).sub(1)
