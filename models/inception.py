"""Inception-v3 up to its pooled features, frozen: a picture to a map of regions and a vector.

Source: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016,
arXiv:1512.00567; layer names of published weights are torchvision's.
Shapes: B batch, C channels, h w sides of a feature map.
"""

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

# One unit of a branch: channels, kernel (a number or height and width), and stride.
_Unit = tuple[int, int | tuple[int, int]] | tuple[int, int | tuple[int, int], int]

_ROW, _COLUMN = (1, 7), (7, 1)

# The published name of every unit, in our order.
_STEM = "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 Conv2d_3b_1x1 Conv2d_4a_3x3"
_FIVE = "1x1 5x5_1 5x5_2 3x3dbl_1 3x3dbl_2 3x3dbl_3 _pool"
_TO_SIX = "3x3 3x3dbl_1 3x3dbl_2 3x3dbl_3"
_SIX = "1x1 7x7_1 7x7_2 7x7_3 7x7dbl_1 7x7dbl_2 7x7dbl_3 7x7dbl_4 7x7dbl_5 _pool"
_TO_SEVEN = "3x3_1 3x3_2 7x7x3_1 7x7x3_2 7x7x3_3 7x7x3_4"
_SEVEN = "1x1 3x3_1 3x3_2a 3x3_2b 3x3dbl_1 3x3dbl_2 3x3dbl_3a 3x3dbl_3b _pool"
_MIXED = {
    "5b": _FIVE,
    "5c": _FIVE,
    "5d": _FIVE,
    "6a": _TO_SIX,
    "6b": _SIX,
    "6c": _SIX,
    "6d": _SIX,
    "6e": _SIX,
    "7a": _TO_SEVEN,
    "7b": _SEVEN,
    "7c": _SEVEN,
}
_CLASSIFIER = ("AuxLogits.", "fc.")  # of published files; not used here


class Inception(nn.Module):
    """Always in eval mode, with gradients to the picture but not to its weights."""

    side = 299  # pixels that the network was trained at
    local_width = 768
    pooled_width = 2048

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Unit(3, 32, kernel=3, stride=2, pads=False),
            Unit(32, 32, kernel=3, pads=False),
            Unit(32, 64, kernel=3),
            nn.MaxPool2d(3, stride=2),
            Unit(64, 80, kernel=1),
            Unit(80, 192, kernel=3, pads=False),
            nn.MaxPool2d(3, stride=2),
        )
        self.regions = nn.Sequential(
            *(_five(c_in, pooled) for c_in, pooled in ((192, 32), (256, 64), (288, 64))),
            _to_six(288),
            *(_six(768, inner) for inner in (128, 160, 160, 192)),
        )
        self.whole = nn.Sequential(_to_seven(768), _seven(1280), _seven(2048))
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Self:
        """Stays in eval mode: batch statistics would change a frozen network's answers."""
        return super().train(False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, 299, 299) in [-1, 1] -> regions (B, 768, 17, 17), pooled features (B, 2048)."""
        local = self.regions(self.stem(image))
        return local, self.whole(local).mean((2, 3))


class Unit(nn.Module):
    """Convolution, normalisation, ReLU."""

    def __init__(
        self,
        c_in: int,
        c_out: int,
        *,
        kernel: int | tuple[int, int],
        stride: int = 1,
        pads: bool = True,
    ) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        pad = (height // 2, width // 2) if pads else 0
        self.conv = nn.Conv2d(c_in, c_out, (height, width), stride, pad, bias=False)
        self.bn = nn.BatchNorm2d(c_out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C', h', w')."""
        return relu(self.bn(self.conv(x)))


class Beside(nn.ModuleList):
    """Branches that read the same map; their answers stand beside each other."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the sum of the branches' channels."""
        return torch.cat([branch(x) for branch in self], dim=1)


def published_units(network: nn.Module) -> dict[str, str]:
    """The published name of each unit of the `Inception` in `network`, by ours."""
    ours = [name for name, module in network.named_modules() if isinstance(module, Unit)]
    mixed = [f"Mixed_{m}.branch{unit}" for m, units in _MIXED.items() for unit in units.split()]
    return dict(zip(ours, [*_STEM.split(), *mixed], strict=True))


def load_published(state: Mapping[str, Tensor]) -> Inception:
    """The network with published weights: torchvision's names; its classifiers are left out.

    Raises:
        RuntimeError: an entry is missing, unknown or of another shape; the message lists them.
    """
    network = Inception()
    ours = {published: name for name, published in published_units(network).items()}
    renamed = {}
    for key, value in state.items():
        if not key.startswith(_CLASSIFIER):
            unit, _, leaf = key.removeprefix("module.").rpartition(".")
            unit, _, part = unit.rpartition(".")
            renamed[f"{ours.get(unit, unit)}.{part}.{leaf}"] = value
    network.load_state_dict(renamed, strict=True)
    return network


def _chain(c_in: int, *units: _Unit) -> nn.Sequential:
    """Units one after another; one with a stride does not pad."""
    modules = []
    for c_out, kernel, *stride in units:
        modules.append(Unit(c_in, c_out, kernel=kernel, stride=(stride or [1])[0], pads=not stride))
        c_in = c_out
    return nn.Sequential(*modules)


def _pooled(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), Unit(c_in, c_out, kernel=1))


def _five(c_in: int, pooled: int) -> Beside:
    return Beside(
        [
            _chain(c_in, (64, 1)),
            _chain(c_in, (48, 1), (64, 5)),
            _chain(c_in, (64, 1), (96, 3), (96, 3)),
            _pooled(c_in, pooled),
        ]
    )


def _to_six(c_in: int) -> Beside:
    """Half the side."""
    return Beside(
        [
            _chain(c_in, (384, 3, 2)),
            _chain(c_in, (64, 1), (96, 3), (96, 3, 2)),
            nn.MaxPool2d(3, stride=2),
        ]
    )


def _six(c_in: int, inner: int) -> Beside:
    return Beside(
        [
            _chain(c_in, (192, 1)),
            _chain(c_in, (inner, 1), (inner, _ROW), (192, _COLUMN)),
            _chain(
                c_in, (inner, 1), (inner, _COLUMN), (inner, _ROW), (inner, _COLUMN), (192, _ROW)
            ),
            _pooled(c_in, 192),
        ]
    )


def _to_seven(c_in: int) -> Beside:
    """Half the side."""
    return Beside(
        [
            _chain(c_in, (192, 1), (320, 3, 2)),
            _chain(c_in, (192, 1), (192, _ROW), (192, _COLUMN), (192, 3, 2)),
            nn.MaxPool2d(3, stride=2),
        ]
    )


def _seven(c_in: int) -> Beside:
    return Beside(
        [
            _chain(c_in, (320, 1)),
            nn.Sequential(Unit(c_in, 384, kernel=1), _forked()),
            nn.Sequential(Unit(c_in, 448, kernel=1), Unit(448, 384, kernel=3), _forked()),
            _pooled(c_in, 192),
        ]
    )


def _forked() -> Beside:
    return Beside([Unit(384, 384, kernel=(1, 3)), Unit(384, 384, kernel=(3, 1))])
