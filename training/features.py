"""A discriminator that looks through a frozen, pretrained encoder.

Source: Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021, arXiv:2111.01007 (frozen
features, one head a resolution; random mixing of them, section 3.2); Miyato and Koyama, ICLR 2018,
arXiv:1802.05637 (projection of the condition); Reed et al., ICML 2016, arXiv:1605.05396
(mismatching captions as a third kind).
Shapes: B batch, C channels, D sentence width, S image side in pixels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu
from torch.nn.utils.parametrizations import spectral_norm

from models.lite import Lite


class FeatureDiscriminator(nn.Module):
    """Small spectrally normalised heads on the encoder's taps, each judging a picture's patches."""

    def __init__(
        self, encoder: Lite, text_dim: int, *, width: int = 64, side: int | None = 128
    ) -> None:
        """`side`: in pixels, to which pictures are brought first, for the encoder knows large ones
        best; None: they come as they shall be seen.
        """
        super().__init__()
        self.encoder, self.side = encoder, side
        channels = encoder.cfg.tap_channels
        self.mix = Mixture(channels, width)
        self.heads = nn.ModuleList(
            Head(text_dim, width, halvings=halvings) for halvings in reversed(range(len(channels)))
        )

    def features(self, image: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, S, S) in [-1, 1] -> one (B, C, h, w) a head."""
        if self.side is not None:
            size = (self.side, self.side)
            image = interpolate(image, size, mode="bilinear", align_corners=True)
        return self.encoder.features(image)

    def forward(self, features: tuple[Tensor, ...], *sentences: Tensor) -> list[list[Tensor]]:
        """Taps and (B, D) each -> for each sentence, one map of logits (B, 1, h, w) a head."""
        pairs = zip(self.heads, self.mix(features), strict=True)
        judged = [head(f, *sentences) for head, f in pairs]
        return [list(logits) for logits in zip(*judged, strict=True)]

    def loss(
        self,
        real: Tensor,
        fake: tuple[Tensor, ...],
        *,
        right: Tensor,
        wrong: Tensor,
        asked: Tensor,
    ) -> Tensor:
        """What it lowers: real pictures (B, 3, S, S) with captions that fit and with others, and
        taps of fakes with the captions that they were made for, (B, D) each.
        """
        with torch.no_grad():
            seen = self.features(real)
        yes, no = self(seen, right, wrong)
        (made,) = self(tuple(tap.detach() for tap in fake), asked)
        return hinge_discriminator(yes, no, made)

    @property
    def own(self) -> nn.Module:
        """All but the encoder: what a run that goes on needs."""
        return nn.ModuleList([self.mix, self.heads])

    def trained_parameters(self) -> list[nn.Parameter]:
        return list(self.heads.parameters())


class Mixture(nn.Module):
    """Random and fixed: a tap's channels into each other, then deeper taps into finer ones.

    So no head can live off the few channels that are easiest to tell apart.
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.across = nn.ModuleList(nn.Conv2d(c, width, 1, bias=False) for c in channels)
        self.down = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in channels[1:]
        )
        for conv in (*self.across, *self.down):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
        self.requires_grad_(False)

    def forward(self, taps: Sequence[Tensor]) -> list[Tensor]:
        """(B, C, h, w) each, the finest first -> the same with `width` channels."""
        mixed = [conv(tap) for conv, tap in zip(self.across, taps, strict=True)]
        for i in reversed(range(len(self.down))):
            deeper = interpolate(self.down[i](mixed[i + 1]), mixed[i].shape[2:], mode="bilinear")
            mixed[i] = (mixed[i] + deeper) / 2**0.5
        return mixed


class Head(nn.Module):
    """One resolution: is each patch real, and does it go with the sentence."""

    def __init__(self, text_dim: int, width: int, *, halvings: int) -> None:
        """Every halving makes the patches that are judged larger."""
        super().__init__()
        self.patches = nn.Sequential(
            spectral_norm(nn.Conv2d(width, width, 1)),
            nn.LeakyReLU(0.2),
            *(layer for _ in range(halvings) for layer in _halve(width)),
            spectral_norm(nn.Conv2d(width, width, 3, padding=1)),
            nn.LeakyReLU(0.2),
        )
        self.realness = spectral_norm(nn.Conv2d(width, 1, 1))
        self.project = spectral_norm(nn.Linear(text_dim, width))

    def forward(self, x: Tensor, *sentences: Tensor) -> list[Tensor]:
        """(B, `width`, h, w), (B, D) each -> logits (B, 1, h, w), one for each sentence."""
        h = self.patches(x)
        real, scale = self.realness(h), h.shape[1] ** -0.5
        projected = (self.project(sentence)[..., None, None] for sentence in sentences)
        return [(real + scale * (h * p).sum(1, keepdim=True)).float() for p in projected]


def _halve(width: int) -> tuple[nn.Module, nn.Module]:
    return spectral_norm(nn.Conv2d(width, width, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)


def hinge_discriminator(right: list[Tensor], wrong: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Matching-aware hinge: real with right words up; real with wrong words and fakes down."""
    terms = [
        relu(1 - r).mean() + 0.5 * (relu(1 + w).mean() + relu(1 + f).mean())
        for r, w, f in zip(right, wrong, fake, strict=True)
    ]
    return torch.stack(terms).mean()


def hinge_generator(fake: list[Tensor]) -> Tensor:
    """What the generator lowers."""
    return torch.stack([-f.mean() for f in fake]).mean()
