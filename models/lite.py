"""EfficientNet-Lite, frozen: a picture to feature maps, and by Lite2 to ImageNet classes.

Source: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
ICML 2019, arXiv:1905.11946; the Lite variants (ReLU6, no squeeze-and-excitation, stem and head
not scaled) are the TensorFlow authors'. Weights: checkpoints/encoders/README.md.
Lite0 is what trainers may look through; Lite2 is kept for measuring, so that no network is judged
by the features it was trained against.
Shapes: B batch, C channels, S image side in pixels.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

FOLDER = Path(__file__).parent.parent / "checkpoints" / "encoders"

_KERNELS = (3, 3, 5, 3, 5, 5, 3)  # one for each of the seven stages
_STRIDES = (1, 2, 2, 2, 1, 2, 1)
_EXPANSIONS = (1, 6, 6, 6, 6, 6, 6)
_TAPPED_STAGES = (1, 2, 4, 6)  # the last stage of each resolution: S/4, S/8, S/16, S/32
_STEM = 32
_HEAD = 1280


@dataclass(frozen=True)
class Config:
    """What differs between the Lite sizes."""

    channels: tuple[int, ...]  # C after each of the seven stages, or the first of them
    depths: tuple[int, ...]  # blocks in each of these stages
    classes: int = 0  # 0: feature maps only

    @property
    def tap_channels(self) -> tuple[int, ...]:
        """C of each map that `Lite.features` returns."""
        return tuple(self.channels[i] for i in _TAPPED_STAGES if i < len(self.channels))

    def up_to(self, taps: int) -> Self:
        """Without the stages after the first `taps` maps, which hold most of the weights."""
        count = _TAPPED_STAGES[taps - 1] + 1
        return replace(self, channels=self.channels[:count], depths=self.depths[:count])


CONFIGS = {
    "lite0": Config((16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1)),
    "lite2": Config((16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1), classes=1000),
}


class Lite(nn.Module):
    """Frozen: always in eval mode, with gradients to the picture but not to its weights."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.cfg = cfg
        self.stem = ConvNorm(3, _STEM, kernel=3, stride=2)
        widths = (_STEM, *cfg.channels)
        self.stages = nn.ModuleList(
            _stage(widths[i], widths[i + 1], stage=i, depth=depth)
            for i, depth in enumerate(cfg.depths)
        )
        if cfg.classes:
            self.head = ConvNorm(cfg.channels[-1], _HEAD)
            self.classifier = nn.Linear(_HEAD, cfg.classes)
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Self:
        """Stays in eval mode: batch statistics would change a frozen network's answers."""
        return super().train(False)

    def features(self, image: Tensor, taps: int = 4) -> tuple[Tensor, ...]:
        """(B, 3, S, S) in [-1, 1] -> the first `taps` of four maps, at S/4, S/8, S/16 and S/32.

        S may be any number; a side that is no multiple of 32 is rounded up at each halving.
        Stopping early saves the deeper stages.
        """
        maps: list[Tensor] = []
        h = self.stem(scaled(image))
        for i, stage in enumerate(self.stages):
            h = stage(h)
            if i in _TAPPED_STAGES:
                maps.append(h)
            if len(maps) == taps:
                break
        return tuple(maps)

    def embedding(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, 1280), pooled; only where the config has classes."""
        return self.head(self.features(image)[-1]).mean((2, 3))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, classes) logits; only where the config has classes."""
        return self.classifier(self.embedding(image))

    def folded(self) -> Self:
        """This network, its normalisations folded into the convolutions: same answers, sooner."""
        for unit in self.modules():
            if isinstance(unit, ConvNorm):
                unit.fold()
        return self


class ConvNorm(nn.Module):
    """Convolution with TensorFlow's "same" padding, normalisation, and ReLU6 unless it projects."""

    def __init__(
        self,
        c_in: int,
        c_out: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activates: bool = True,
    ) -> None:
        super().__init__()
        pad = kernel // 2 if stride == 1 else 0  # strided: depends on the side
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, pad, groups=groups, bias=False)
        self.norm: nn.BatchNorm2d | nn.Identity = nn.BatchNorm2d(c_out, eps=1e-3)
        self.activates = activates

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H/stride, W/stride), rounded up."""
        h = self.norm(self._strided(x) if self.conv.stride[0] > 1 else self.conv(x))
        return F.relu6(h) if self.activates else h

    def _strided(self, x: Tensor) -> Tensor:
        """In float32 where it is learnt through: the bfloat16 gradient is thirty times as slow."""
        x = F.pad(x, (*self._same(x.shape[3]), *self._same(x.shape[2])))
        if not x.requires_grad:
            return self.conv(x)
        with torch.autocast(x.device.type, enabled=False):
            return self.conv(x.to(self.conv.weight.dtype))

    def _same(self, side: int) -> tuple[int, int]:
        """Padding before and after, the odd one after."""
        stride, kernel = self.conv.stride[0], self.conv.kernel_size[0]
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        return total // 2, total - total // 2

    @torch.no_grad()
    def fold(self) -> None:
        """Move the normalisation into the convolution's weight and a new bias."""
        if isinstance(self.norm, nn.Identity):
            return
        mean, var = self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert var is not None
        gain = self.norm.weight / torch.sqrt(var + self.norm.eps)
        self.conv.weight.mul_(gain[:, None, None, None])
        self.conv.bias = nn.Parameter(self.norm.bias - mean * gain, requires_grad=False)
        self.norm = nn.Identity()


class Block(nn.Module):
    """Inverted residual: widen, filter each channel, narrow; added to its input if shapes agree."""

    def __init__(self, c_in: int, c_out: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = c_in * expansion
        self.expand = ConvNorm(c_in, wide) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(wide, wide, kernel=kernel, stride=stride, groups=wide)
        self.project = ConvNorm(wide, c_out, activates=False)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H/stride, W/stride)."""
        h = self.project(self.depthwise(self.expand(x)))
        return x + h if self.adds else h


def load_lite(name: str, *, taps: int | None = None) -> Lite:
    """The pretrained network called `name`, "lite0" or "lite2", folded, in float32 on the CPU; with
    `taps` as deep as that many of its maps take.
    """
    return load_unfolded(name, taps=taps).folded()


def load_unfolded(name: str, *, taps: int | None = None) -> Lite:
    """The pretrained network as published, with its normalisations."""
    cfg = CONFIGS[name]
    network = Lite(cfg if taps is None else cfg.up_to(taps))
    weights = load_file(FOLDER / f"{name}.safetensors")
    wanted = weights if taps is None else network.state_dict()
    network.load_state_dict({key: weights[key].float() for key in wanted}, strict=True)
    return network


def _stage(c_in: int, c_out: int, *, stage: int, depth: int) -> nn.Sequential:
    """`depth` blocks, of which the first changes width and side."""
    kernel, expansion = _KERNELS[stage], _EXPANSIONS[stage]
    first = Block(c_in, c_out, kernel=kernel, stride=_STRIDES[stage], expansion=expansion)
    rest = (
        Block(c_out, c_out, kernel=kernel, stride=1, expansion=expansion) for _ in range(depth - 1)
    )
    return nn.Sequential(first, *rest)


def scaled(image: Tensor) -> Tensor:
    """[-1, 1] -> what the networks were trained on: (x - 127) / 128 of pixels in [0, 255]."""
    return (image * 127.5 + 0.5) / 128
