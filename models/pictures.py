"""Tensors inside, pictures outside: the step between."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_picture(tensor: Tensor) -> Image.Image:
    """(3, S, S) in [-1, 1] -> RGB, rounded to the nearest of 256 levels."""
    levels = tensor.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return Image.fromarray(levels.to(torch.uint8).permute(1, 2, 0).cpu().numpy())


def to_tensor(picture: Image.Image) -> Tensor:
    """RGB, square -> (3, S, S) float32 in [-1, 1]."""
    pixels = torch.from_numpy(np.array(picture, dtype=np.float32))
    return pixels.permute(2, 0, 1).div(127.5).sub(1)
