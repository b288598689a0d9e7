"""Real pictures with their captions, as Lite2 sees them: what a matcher learns from.

Shapes: V views of each picture, N pictures, F width of what Lite2 sees, S image side in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from training.data import cached_pictures, read_split, to_tensor
from training.disturbance import MARGIN, disturbed
from training.lite2 import SIDE, Lite2

_BATCH = 64  # pictures that are disturbed alike


@dataclass(frozen=True)
class Pairs:
    """Real pictures as Lite2 sees them, as they are and several times disturbed."""

    seen: Tensor  # (V, N, F), the first of V as they are
    captions: tuple[tuple[str, ...], ...]  # N

    def take(self, rows: Sequence[int]) -> "Pairs":
        return Pairs(self.seen[:, rows], tuple(self.captions[row] for row in rows))


def pairs_of(data: Path, split: str, *, cache: Path, views: int = 0) -> Pairs:
    """A split's pictures as they are, and `views` times disturbed."""
    examples = read_split(data, split)
    eyes, draw = Lite2(), np.random.default_rng(0)
    seen = [_seen(eyes, cached_pictures(examples, SIDE, cache), None)]
    wide = cached_pictures(examples, MARGIN, cache)
    seen += [_seen(eyes, wide, draw) for _ in track(range(views), "looking at disturbed pictures")]
    return Pairs(torch.stack(seen), tuple(example.captions for example in examples))


def _seen(eyes: Lite2, pictures: NDArray[np.uint8], draw: np.random.Generator | None) -> Tensor:
    """(N, S, S, 3) -> (N, F), after a disturbance of its own for each batch if `draw` is given."""
    found = []
    for first in range(0, len(pictures), _BATCH):
        image = to_tensor(np.array(pictures[first : first + _BATCH]))
        found.append(eyes.look(disturbed(image, draw) if draw else image).pooled)
    return torch.cat(found)
