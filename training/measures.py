"""Numbers that describe edits and drawings: pure functions of pictures, verdicts and features.

Source: Heusel et al., NeurIPS 2017, arXiv:1706.08500 (Frechet distance); Binkowski et al., ICLR
2018, arXiv:1801.01401 (kernel distance); Salimans et al., NeurIPS 2016, arXiv:1606.03498
(Inception score); Xu et al., CVPR 2018, arXiv:1711.10485, section 4 (R-precision). Theirs look
through Inception-v3, ours are given what Lite2 sees, so the figures are of another scale.
Shapes: N pictures, K columns of verdicts (asked values or seeds), D feature width, S image side in
pixels. Pictures are (N, 3, S, S) in [-1, 1].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

_WHITE = 0.95  # of 1, in each channel: near enough to white to be the ground
_BAND = 1 / 16  # of the side: the strip along the border

# Student's t: how many standard errors to both sides hold 95 % of means of so many values.
_T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}


@dataclass(frozen=True)
class Share:
    """How many of the answers did what was asked, with a 95 % bootstrap interval."""

    share: float
    low: float
    high: float
    edits: int  # answers that count


@dataclass(frozen=True)
class Mean:
    """A measure over several seeds, with its 95 % interval by Student's t."""

    mean: float
    low: float
    high: float
    seeds: tuple[float, ...]  # the value of each


def mean_of(values: Sequence[float]) -> Mean:
    """Two to ten values of one measure, one a seed -> their mean."""
    centre = mean(values)
    margin = _T_95[len(values)] * stdev(values) / len(values) ** 0.5
    return Mean(centre, centre - margin, centre + margin, tuple(values))


def share_of(
    right: NDArray[np.bool_], counted: NDArray[np.bool_] | None = None, draws: int = 2000
) -> Share:
    """(N, K) verdicts, and which of them count (else all) -> their share.

    The bootstrap draws pictures, not answers: those of one picture succeed and fail together.
    """
    if counted is None:
        counted = np.ones_like(right)
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


def frechet_distance(real: Tensor, made: Tensor) -> float:
    """(N, D), (M, D) -> the Frechet distance of two normal distributions with their moments.

    tr((S1 S2)^(1/2)) is the sum of the singular values of A B^T, where S1 = A^T A and S2 = B^T B:
    exact, also with fewer pictures than D, where the roots of S1 S2 are badly conditioned.
    It falls with N and M, so compare only what is measured on as many pictures.
    """
    (mean_real, a), (mean_made, b) = _moments(real), _moments(made)
    shared = torch.linalg.svdvals(a @ b.T).sum()
    spread = a.square().sum() + b.square().sum() - 2 * shared
    return float((mean_real - mean_made).square().sum() + spread)


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """(N, D) -> mean (D,), and A (N or D, D), the smaller, with A^T A the covariance, float64."""
    features = features.double()
    mean = features.mean(0)
    centred = (features - mean) / (len(features) - 1) ** 0.5
    return mean, torch.linalg.qr(centred, mode="r").R


@dataclass(frozen=True)
class KernelDistance:
    """Squared maximum mean discrepancy by the cubic kernel, over blocks of the pictures."""

    distance: float
    block_std: float


def kernel_distance(
    real: Tensor, made: Tensor, *, block: int = 100, blocks: int = 50
) -> KernelDistance:
    """(N, D), (M, D) -> their distance, unbiased: of two samples of one distribution it is 0 +- .

    `blocks` draws of `block` pictures of each (of all, where there are fewer).
    """
    draw = np.random.default_rng(0)
    size = min(block, len(real), len(made))
    found = []
    for _ in range(blocks):
        rows, others = (draw.permutation(len(part))[:size] for part in (real, made))
        found.append(_discrepancy(real[rows].double(), made[others].double()))
    return KernelDistance(float(np.mean(found)), float(np.std(found)))


def _discrepancy(a: Tensor, b: Tensor) -> float:
    """The unbiased estimate of eq. 4 of Binkowski et al., of as many pictures on both sides."""
    size, width = a.shape
    within = sum(((x @ x.T / width + 1) ** 3).fill_diagonal_(0).sum() for x in (a, b))
    between = ((a @ b.T / width + 1) ** 3).mean()
    return float(within / (size * (size - 1)) - 2 * between)


def class_score(classes: Tensor) -> float:
    """(N, classes) probabilities -> the Inception score's formula, 1 to the number of classes.

    High where each picture is surely of one class, and all together are of many.
    """
    marginal = classes.mean(0)
    divergence = (classes * (classes.clamp(min=1e-12) / marginal.clamp(min=1e-12)).log()).sum(1)
    return float(divergence.mean().exp())


def best_of(pictures: Tensor, candidates: Tensor) -> NDArray[np.bool_]:
    """(N, D), (N, C, D), each of length 1 -> (N,), whether candidate 0 is nearest to the picture.

    A tie is a miss: a picture that says nothing finds nothing.
    """
    scores = torch.einsum("nd,ncd->nc", pictures, candidates)
    return (scores[:, 0] > scores[:, 1:].amax(1)).numpy()


def mean_distance(features: Tensor) -> float:
    """(..., N, D) -> mean Euclidean distance between the pairs of N, over all leading axes."""
    features = features.double()
    size = features.shape[-2]
    return float(torch.cdist(features, features).sum((-2, -1)).mean() / (size * (size - 1)))
