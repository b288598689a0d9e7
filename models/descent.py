"""Adam, for the few steps that a system takes while it serves."""

from collections.abc import Sequence

import torch
from torch import Tensor


class Adam:
    """Kingma and Ba, arXiv:1412.6980, algorithm 1.

    torch's own imports torch's compiler at its first step: seconds that a person would wait for.
    """

    def __init__(self, moved: Sequence[Tensor], rate: float) -> None:
        self.moved, self.rate = moved, rate
        self.mean = [torch.zeros_like(tensor) for tensor in moved]
        self.square = [torch.zeros_like(tensor) for tensor in moved]
        self.steps = 0

    @torch.no_grad()
    def step(self, slopes: Sequence[Tensor]) -> None:
        """One step down the gradients."""
        self.steps += 1
        of_mean, of_square = 1 - 0.9**self.steps, 1 - 0.999**self.steps
        for x, slope, mean, square in zip(self.moved, slopes, self.mean, self.square, strict=True):
            mean.lerp_(slope, 0.1)
            square.lerp_(slope**2, 0.001)
            x -= self.rate * (mean / of_mean) / ((square / of_square).sqrt() + 1e-8)
