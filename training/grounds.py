"""Objects of training pictures, and the same objects laid on plain grounds.

Photographs have leaves and shadows behind what they show, so a network that is trained on them
alone takes anything smooth for the object: a flower on white paper came out on red paper.
U2-Net-p (models/u2net.py) says where the object of a picture is; what is not clear to it stays as
it is.
Shapes: N pictures, S image side in pixels.
"""

import random
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, max_pool2d

from models.u2net import load_u2net

SIDE = 192  # of what U2-Net-p is shown: it finds as much as at 320, in a third of the time
_UNSURE = 0.15  # share of pixels that are neither object nor ground, from which on nothing is clear
_LEAST, _LARGEST = 0.08, 0.8  # shares of a picture that an object may cover
_AT_ONCE = 100  # masks that are resized together
_WIDER = 5  # pixels: an edge belongs to the object
# What objects are photographed on. None is a colour that a caption asks for, or red paper would be
# as real as a red flower.
_WHITE, _BLACK, _SKY = (1.0, 1.0, 1.0), (0.03, 0.03, 0.03), (0.6, 0.75, 0.97)
_TINT = 0.08


@torch.inference_mode()
def find_objects(pictures: Iterable[Tensor]) -> NDArray[np.uint8]:
    """Batches of (B, 3, SIDE, SIDE) in [-1, 1] -> (N, SIDE, SIDE), 255 where the object is; all 0
    in a picture where that is not clear.
    """
    network = load_u2net()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    found: list[Tensor] = []
    for batch in pictures:
        with torch.autocast("cpu", torch.bfloat16):
            masks = network(batch).float()
        clear = torch.tensor([_is_clear(mask) for mask in masks])[:, None, None]
        found.append((masks * clear).mul(255).round().to(torch.uint8))
    return torch.cat(found).numpy()


def resized(masks: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """(N, SIDE, SIDE) -> (N, side, side)."""
    parts = torch.from_numpy(np.array(masks)).split(_AT_ONCE)
    small = [interpolate(part[:, None].float(), (side, side), mode="area") for part in parts]
    return torch.cat(small)[:, 0].round().to(torch.uint8).numpy()


def _is_clear(mask: Tensor) -> bool:
    unsure = ((mask > 0.1) & (mask < 0.9)).float().mean().item()
    return unsure < _UNSURE and _LEAST < mask.mean().item() < _LARGEST


def lay_on_plain(
    picture: NDArray[np.uint8], mask: NDArray[np.uint8], draw: random.Random
) -> NDArray[np.uint8]:
    """(..., S, S, 3) with all but what the mask (S, S) shows replaced by one plain ground."""
    share = mask[..., None].astype(np.float32) / 255
    ground = _ground(len(mask), draw)
    return np.rint(picture * share + ground * (1 - share)).astype(np.uint8)


def _ground(side: int, draw: random.Random) -> NDArray[np.float32]:
    """(S, 1, 3): white, black, sky or a greyish tint, a little lighter or darker further down."""
    level = draw.uniform(0.1, 1)
    tinted = tuple(level + draw.uniform(-_TINT, _TINT) for _ in range(3))
    [colour] = draw.choices([_WHITE, _BLACK, _SKY, tinted], weights=[3, 1, 1, 5])
    slope = draw.choice([0.0, draw.uniform(-0.3, 0.3)])
    down = 1 + slope * np.linspace(-1, 1, side, dtype=np.float32)[:, None, None]
    return np.clip(255 * np.array(colour, np.float32) * down, 0, 255)


def outside(mask: Tensor) -> Tensor:
    """(N, 1, S, S) masks in [0, 1] -> 1 where nothing of the object is near; all 0 where there is
    no object.
    """
    near = max_pool2d(mask, _WIDER, 1, _WIDER // 2)
    return (1 - near) * (mask.amax((1, 2, 3), keepdim=True) > 0)
