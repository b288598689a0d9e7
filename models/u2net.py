"""U2-Net-p: a picture to the object that stands out in it.

Source: Qin et al., "U2-Net: Going Deeper with Nested U-Structure for Salient Object Detection",
Pattern Recognition 2020, arXiv:2005.09007; section 3 and the small network (U2-Net†) of table 1.
Weights: checkpoints/encoders/README.md. They are published with each normalisation folded into its
convolution, so there is none here.
Shapes: B batch, C channels, H W or S pixels; L levels of a block.
"""

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from models.lite import FOLDER

SIDE = 320  # S that it was trained on
FILE = FOLDER / "u2netp.safetensors"

_WIDE, _NARROW = 64, 16  # C between blocks and inside them
_LEVELS = (7, 6, 5, 4)  # L of the blocks from the picture down; below them are two dilated ones
_DILATED = (1, 2, 4, 8)
_MEAN = (0.485, 0.456, 0.406)  # ImageNet's, of colours in [0, 1]
_STD = (0.229, 0.224, 0.225)


class Conv(nn.Sequential):
    """3x3 convolution and ReLU: (B, C, H, W) -> (B, C', H, W)."""

    def __init__(self, c_in: int, c_out: int, dilation: int = 1) -> None:
        conv = nn.Conv2d(c_in, c_out, 3, padding=dilation, dilation=dilation)
        super().__init__(conv, nn.ReLU())


class Block(nn.Module):
    """RSU-L (figure 2e): a U-Net in place of one convolution, added to its input.

    `dilations` are those of its L levels, from the top down. The levels lie at half the side each,
    or, where it does not pool (RSU-4F), all at one.
    """

    def __init__(self, c_in: int, dilations: tuple[int, ...], *, pools: bool) -> None:
        super().__init__()
        first, *middle, last = dilations
        self.pools = pools
        self.enter = Conv(c_in, _WIDE)
        inside = [Conv(_NARROW, _NARROW, dilation) for dilation in middle]
        self.down = nn.ModuleList([Conv(_WIDE, _NARROW, first), *inside])
        self.bottom = Conv(_NARROW, _NARROW, last)
        inside = [Conv(2 * _NARROW, _NARROW, dilation) for dilation in reversed(middle)]
        self.up = nn.ModuleList([*inside, Conv(2 * _NARROW, _WIDE, first)])

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, 64, H, W)."""
        entered = self.enter(x)
        levels: list[Tensor] = []
        h = entered
        for conv in self.down:
            h = conv(_halved(h) if self.pools and levels else h)
            levels.append(h)
        h = self.bottom(h)
        for conv, level in zip(self.up, reversed(levels), strict=True):
            h = conv(torch.cat([_enlarged(h, level), level], dim=1))
        return h + entered


class U2Net(nn.Module):
    """A U-Net of such blocks (figure 5), each of whose levels says what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            [
                *(_pooling(3 if i == 0 else _WIDE, levels) for i, levels in enumerate(_LEVELS)),
                Block(_WIDE, _DILATED, pools=False),
                Block(_WIDE, _DILATED, pools=False),
            ]
        )
        self.up = nn.ModuleList(
            [
                Block(2 * _WIDE, _DILATED, pools=False),
                *(_pooling(2 * _WIDE, levels) for levels in reversed(_LEVELS)),
            ]
        )
        self.sides = nn.ModuleList(nn.Conv2d(_WIDE, 1, 3, padding=1) for _ in self.down)
        self.fuse = nn.Conv2d(len(self.sides), 1, 1)
        self.requires_grad_(False).eval()

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, S, S) in [0, 1], 1 where the object is."""
        levels: list[Tensor] = []
        h = _normalized(image)
        for block in self.down:
            h = block(_halved(h) if levels else h)
            levels.append(h)
        seen = [h]  # from the lowest level up
        for block, level in zip(self.up, reversed(levels[:-1]), strict=True):
            h = block(torch.cat([_enlarged(h, level), level], dim=1))
            seen.append(h)
        maps = [side(level) for side, level in zip(self.sides, reversed(seen), strict=True)]
        together = torch.cat([_enlarged(one, maps[0]) for one in maps], dim=1)
        return self.fuse(together).sigmoid()[:, 0]


def load_u2net() -> U2Net:
    """The pretrained network, in float32 on the CPU."""
    network = U2Net()
    stored = load_file(FILE)
    network.load_state_dict({key: value.float() for key, value in stored.items()}, strict=True)
    return network


def _pooling(c_in: int, levels: int) -> Block:
    return Block(c_in, (1,) * (levels - 1) + (2,), pools=True)


def _halved(x: Tensor) -> Tensor:
    """A side that is odd is rounded up."""
    return F.max_pool2d(x, 2, ceil_mode=True)


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def _normalized(image: Tensor) -> Tensor:
    mean, std = (image.new_tensor(x)[:, None, None] for x in (_MEAN, _STD))
    return (image / 2 + 0.5 - mean) / std
