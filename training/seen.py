"""Pictures as a frozen network sees them, computed once: what is learnt above it then trains fast.

Shapes: N pictures, B of them, F width and h w sides of the network's map, S image side.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from models.layers import channels_last
from models.lite import load_lite
from models.tirg import Trunk
from training.data import Example, cached_pictures, fingerprint, to_tensor
from training.loop import autocast

_BATCH = 64


class SeenPictures:
    """A data set's pictures and the trunk's maps of them, in files read through memory maps."""

    def __init__(self, examples: Sequence[Example], *, image_size: int, cache: Path) -> None:
        self.examples = examples
        self._pictures = cached_pictures(examples, image_size, cache)
        self._maps = self._cached_maps(cache / f"{fingerprint(examples)}-lite0-{image_size}.npy")

    def __len__(self) -> int:
        return len(self.examples)

    def maps(self, rows: Sequence[int]) -> Tensor:
        """(B, F, h, w) float32."""
        return torch.from_numpy(self._maps[list(rows)]).float()

    def pictures(self, rows: Sequence[int]) -> Tensor:
        """(B, 3, S, S) in [-1, 1]."""
        return to_tensor(self._pictures[list(rows)])

    def _cached_maps(self, path: Path) -> NDArray[np.float16]:
        """(N, F, h, w)."""
        if not path.exists():
            partial = path.with_suffix(".partial.npy")
            np.save(partial, np.concatenate(list(self._look())))
            partial.replace(path)
        return np.load(path, mmap_mode="r")

    @torch.inference_mode()
    def _look(self) -> Iterator[NDArray[np.float16]]:
        """(B, F, h, w), batch after batch."""
        trunk = load_trunk()
        for first in track(range(0, len(self), _BATCH), "looking at the pictures"):
            image = to_tensor(np.array(self._pictures[first : first + _BATCH]))
            with autocast(image.device):
                yield trunk(image).half().numpy()


def load_trunk() -> Trunk:
    """With the pretrained weights."""
    trunk = Trunk()
    trunk.network = load_lite("lite0")
    return channels_last(trunk)
