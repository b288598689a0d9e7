"""Conditioning augmentation: a caption's vector, drawn around its mean.

Source: Zhang et al., "StackGAN", ICCV 2017, arXiv:1612.03242, section 3.2. Each paper's authors
have layers of their own, which the paper's file names.
Shapes: B batch, D text width, K width of the conditioning vector.
"""

from typing import NamedTuple

from torch import Tensor, nn


class Conditioning(NamedTuple):
    """What was drawn, and from where; float32."""

    cond: Tensor  # (B, K)
    mu: Tensor  # (B, K)
    logvar: Tensor  # (B, K)


class ConditioningAugmentation(nn.Module):
    """Mean and variance from the same layers, as in StackGAN, StackGAN-v2 and AttnGAN."""

    def __init__(
        self, layers: nn.Sequential, *, augments: bool = True, truncation: float = 1.0
    ) -> None:
        """`layers` take (B, D) to (B, 2 K); not `augments`: the mean itself. `truncation`, from 0
        to 1: the share of the distance from the mean that is kept in evaluation mode, where less
        than 1 gives pictures that vary less and obey more.

        Raises:
            ValueError: `truncation` is another number.
        """
        super().__init__()
        if not 0 <= truncation <= 1:
            raise ValueError(f"truncation must be from 0 to 1, not {truncation}")
        self.fc = layers
        self.augments = augments
        self.truncation = truncation

    def forward(self, sentence: Tensor, noise: Tensor) -> Conditioning:
        """(B, D), standard normal (B, K) -> three of (B, K)."""
        mu, logvar = self.fc(sentence).float().chunk(2, dim=1)
        if not self.augments:
            return Conditioning(mu, mu, logvar)
        return _draw(mu, logvar, noise if self.training else self.truncation * noise)


class SeparateAugmentation(nn.Module):
    """Mean and deviation from a layer each, as in SISGAN and TAGAN.

    Their authors draw with exp of the second layer, not with exp of half of it.
    """

    def __init__(self, text_dim: int, cond_dim: int, *, bias: bool) -> None:
        super().__init__()
        self.mean, self.log_sigma = (
            nn.Sequential(nn.Linear(text_dim, cond_dim, bias=bias), nn.LeakyReLU(0.2))
            for _ in range(2)
        )

    def forward(self, sentence: Tensor, noise: Tensor) -> Conditioning:
        """(B, D), standard normal (B, K) -> three of (B, K)."""
        return _draw(self.mean(sentence).float(), 2 * self.log_sigma(sentence).float(), noise)


def _draw(mu: Tensor, logvar: Tensor, noise: Tensor) -> Conditioning:
    return Conditioning(mu + (0.5 * logvar).exp() * noise, mu, logvar)
