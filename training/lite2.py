"""What EfficientNet-Lite2 sees of pictures: the eyes of all measures, which nothing trains against.

Pictures are seen as they look at 64 pixels a side, or at their own size where a measure says so,
enlarged to 96: Lite2 was trained on larger pictures, and its last map has a cell in 32 pixels.
Shapes: N pictures, S their side in pixels, F width of all that is pooled from its maps.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from models.layers import channels_last
from models.lite import CONFIGS, load_lite

SIDE = 64  # pixels that all pictures are compared at
_SHOWN = 96  # pixels that Lite2 is shown at least
_BATCH = 64
_EMBEDDING = 1280
WIDTH = 2 * sum(CONFIGS["lite2"].tap_channels) + _EMBEDDING  # F


class Seen(NamedTuple):
    """What Lite2 makes of N pictures, float32."""

    embedding: Tensor  # (N, 1280), what its classifier looks at
    classes: Tensor  # (N, 1000), probabilities of ImageNet's classes
    pooled: Tensor  # (N, F), mean and spread of its four maps, then the embedding

    @staticmethod
    def join(parts: Iterable["Seen"]) -> "Seen":
        return Seen(*map(torch.cat, zip(*parts, strict=True)))


class Lite2(nn.Module):
    """The frozen network, asked for everything in one pass."""

    def __init__(self) -> None:
        super().__init__()
        self.network = channels_last(load_lite("lite2"))

    def forward(self, image: Tensor) -> Seen:
        """(N, 3, S, S) in [-1, 1] -> what it sees of them at their own size."""
        maps = self.network.features(resized(image, max(image.shape[-1], _SHOWN)))
        embedding = self.network.head(maps[-1]).mean((2, 3)).float()
        classes = self.network.classifier(embedding).float().softmax(1)
        statistics = [s for m in maps for s in (m.float().mean((2, 3)), _spread(m))]
        return Seen(embedding, classes, torch.cat([*statistics, embedding], dim=1))

    @torch.inference_mode()
    def look(self, images: Tensor, *, side: int = SIDE) -> Seen:
        """(N, 3, S, S) in [-1, 1] -> what it sees of them at `side` pixels, in bfloat16."""
        with torch.autocast(images.device.type, torch.bfloat16):
            return Seen.join(self(resized(part, side)) for part in images.split(_BATCH))


def resized(image: Tensor, side: int) -> Tensor:
    """(N, C, S, S) -> (N, C, side, side); without aliasing where it shrinks."""
    if image.shape[-1] == side:
        return image
    shrinks = side < image.shape[-1]
    return interpolate(image, size=(side, side), mode="bilinear", antialias=shrinks)


def _spread(maps: Tensor) -> Tensor:
    """(N, C, h, w) -> (N, C), standard deviation over the places."""
    return maps.float().var((2, 3), correction=0).sqrt()
