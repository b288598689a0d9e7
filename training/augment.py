"""Differentiable augmentation of what a discriminator sees.

Source: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
arXiv:2006.10738 (translation); Sønderby et al., ICLR 2017, arXiv:1610.04490 (instance noise, so
that no invisible difference, such as a ground that is not quite white, decides).
Colour is what the captions speak of, so it is left alone.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True)
class Augmentation:
    """How far pictures are changed before a discriminator looks."""

    translation: float = 0.0  # up to this share of the side, edges mirrored
    noise: float = 0.0  # standard deviation, where pictures are in [-1, 1]

    def __call__(self, image: Tensor, rng: torch.Generator) -> Tensor:
        """(B, 3, S, S) -> the same shape; one move a batch, noise of each pixel its own."""
        if most := int(image.shape[-1] * self.translation):
            image = _move(image, most, rng)
        if self.noise:
            noise = torch.randn(image.shape, generator=rng)
            image = image + self.noise * noise.to(image.device)
        return image


def _move(image: Tensor, most: int, rng: torch.Generator) -> Tensor:
    side = image.shape[-1]
    top, left = torch.randint(0, 2 * most + 1, (2,), generator=rng).tolist()
    padded = pad(image, (most, most, most, most), mode="reflect")
    return padded[..., top : top + side, left : left + side]
