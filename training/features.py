"""A discriminator that looks through a frozen, pretrained encoder.

Source: Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021, arXiv:2111.01007 (frozen
features, one head a resolution); Miyato and Koyama, ICLR 2018, arXiv:1802.05637 (projection of the
condition); Reed et al., ICML 2016, arXiv:1605.05396 (mismatching captions as a third kind).
Shapes: B batch, C channels, D sentence width, S image side in pixels.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.nn.utils.parametrizations import spectral_norm

from models.lite import Lite


class FeatureDiscriminator(nn.Module):
    """Small spectrally normalised heads on the encoder's taps, each judging a picture's patches."""

    def __init__(self, encoder: Lite, text_dim: int, *, taps: int = 3, width: int = 64) -> None:
        super().__init__()
        self.taps = taps
        self.encoder = encoder
        self.heads = nn.ModuleList(
            Head(channels, text_dim, width) for channels in encoder.cfg.tap_channels[:taps]
        )

    def features(self, image: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, S, S) in [-1, 1] -> one (B, C, h, w) a head."""
        return self.encoder.features(image, self.taps)

    def forward(self, features: tuple[Tensor, ...], sentence: Tensor) -> list[Tensor]:
        """Taps and (B, D) -> one map of logits (B, 1, h, w) a head."""
        return [head(f, sentence) for head, f in zip(self.heads, features, strict=True)]

    def trained_parameters(self) -> list[nn.Parameter]:
        return list(self.heads.parameters())


class Head(nn.Module):
    """One resolution: is each patch real, and does it go with the sentence."""

    def __init__(self, channels: int, text_dim: int, width: int) -> None:
        super().__init__()
        self.patches = nn.Sequential(
            spectral_norm(nn.Conv2d(channels, width, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, width, 3, padding=1)),
            nn.LeakyReLU(0.2),
        )
        self.realness = spectral_norm(nn.Conv2d(width, 1, 1))
        self.project = spectral_norm(nn.Linear(text_dim, width))

    def forward(self, x: Tensor, sentence: Tensor) -> Tensor:
        """(B, C, h, w), (B, D) -> (B, 1, h, w) logits."""
        h = self.patches(x)
        match = (h * self.project(sentence)[..., None, None]).sum(1, keepdim=True)
        return (self.realness(h) + match / h.shape[1] ** 0.5).float()


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
