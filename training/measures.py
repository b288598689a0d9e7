"""Numbers that describe edits: pure functions of pictures and verdicts.

Shapes: N pictures, K asked colours, S image side in pixels. Pictures are (N, 3, S, S) in [-1, 1].
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

_WHITE = 0.95  # of 1, in each channel: near enough to white to be the ground
_BAND = 1 / 16  # of the side: the strip along the border


@dataclass(frozen=True)
class Share:
    """How many of the edits did what was asked, with a 95 % bootstrap interval."""

    share: float
    low: float
    high: float
    edits: int


def share_of(right: NDArray[np.bool_], counted: NDArray[np.bool_], draws: int = 2000) -> Share:
    """(N, K) verdicts, and which of them count -> their share.

    The bootstrap draws pictures, not edits: the edits of one picture succeed and fail together.
    """
    hits, counts = (right & counted).sum(1), counted.sum(1)
    if not counts.sum():
        return Share(float("nan"), float("nan"), float("nan"), 0)
    rows = np.random.default_rng(0).integers(len(hits), size=(draws, len(hits)))
    shares = hits[rows].sum(1) / np.maximum(counts[rows].sum(1), 1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return Share(float(hits.sum() / counts.sum()), float(low), float(high), int(counts.sum()))


def white_ground(images: Tensor) -> Tensor:
    """(N, 1, S, S) bool: near-white pixels that are joined to the border by near-white pixels."""
    white = ((images + 1) / 2 >= _WHITE).all(1, keepdim=True).float()
    reached = white - white * pad(torch.ones_like(white)[..., 1:-1, 1:-1], (1, 1, 1, 1))
    while True:
        grown = max_pool2d(reached, 3, stride=1, padding=1) * white
        if torch.equal(grown, reached):
            return grown.bool()
        reached = grown


def border(images: Tensor) -> Tensor:
    """(N, 1, S, S) bool: a strip along the border, mostly leaves and sky around a flower."""
    strip = max(round(images.shape[-1] * _BAND), 1)
    mask = torch.ones_like(images[:, :1], dtype=torch.bool)
    mask[..., strip:-strip, strip:-strip] = False
    return mask


def change(before: Tensor, after: Tensor, mask: Tensor) -> Tensor:
    """(N,) mean absolute change where `mask` is set, 0 to 1; NaN where it is empty."""
    difference = (after - before).abs().mean(1, keepdim=True) / 2
    return (difference * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3))


def reconstruction(images: Tensor, rebuilt: Tensor) -> dict[str, float]:
    """L2 error of pictures that were edited with their own caption, means over the pictures.

    `rmse` is the root of a picture's mean squared difference, values in [-1, 1]. That is the
    strictest reading of the paper's figure, which comes without a definition; `mse` is the same
    before the root, and `rmse_unit` is for values in [0, 1].
    """
    mse = (rebuilt - images).square().mean((1, 2, 3))
    rmse = mse.sqrt().mean().item()
    return {"rmse": rmse, "rmse_unit": rmse / 2, "mse": mse.mean().item()}
