"""StackGAN-v2: a caption to pictures of several sizes, by a tree of generators.

Source: Zhang et al., "StackGAN++: Realistic Image Synthesis with Stacked Generative Adversarial
Networks", TPAMI 2018, arXiv:1710.10916; conditional networks of section 4 (eq. 7, 8, 11 and 12).
Not from the paper: `image_size` and `branches` are free (the paper has 64, 128 and 256 px), and
captions may be read by words.
Shapes: B batch, D text width, K width of the conditioning vector, Z noise width, C channels,
S side in pixels of the last picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.base import Invertible, Output, TextFeatures
from models.conditioning import Conditioning, ConditioningAugmentation
from models.layers import GLU
from models.registry import Task
from models.text.captions import Reading, reader
from models.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Config(Reading):
    """Network sizes; the defaults are the published ones for birds."""

    image_size: int = 256  # S
    branches: int = 3  # each draws a picture of twice the side of the one before
    cond_dim: int = 128  # K; 0: no caption is looked at, as in the paper's networks for dogs
    augments: bool = True  # False: the caption's vector is its mean, without noise
    truncation: float = 1.0  # of that noise, where the network is not being trained
    z_dim: int = 100  # Z, without that of conditioning augmentation
    gen_channels: int = 64  # C of the first branch; halves with each
    disc_channels: int = 64  # C after the discriminator's first layer
    blocks: int = 2  # residual blocks a branch
    jcu: bool = True  # joint conditional and unconditional losses; False: StackGAN-v2-no-JCU
    one_branch: bool = False  # only the last picture is drawn and judged: StackGAN-v2-G3

    def __post_init__(self) -> None:
        smallest = 8 * 2 ** (self.branches - 1)
        if self.image_size < smallest or self.image_size.bit_count() != 1:
            raise ValueError(
                f"image_size must be a power of two from {smallest} up, not {self.image_size}, "
                f"for {self.branches} branches"
            )
        if self.gen_channels % 2**self.branches:
            wanted = f"a multiple of {2**self.branches}"
            raise ValueError(f"gen_channels must be {wanted}, not {self.gen_channels}")

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides in pixels of the pictures that are drawn and judged, smallest first."""
        all_sides = [self.image_size >> i for i in range(self.branches)]
        return tuple(all_sides[:1] if self.one_branch else all_sides[::-1])

    @property
    def told_dim(self) -> int:
        """Width of what later branches are told: the conditioning, or z where there is none."""
        return self.cond_dim or self.z_dim

    @property
    def first_side(self) -> int:
        """Side in pixels of the first branch."""
        return self.image_size >> (self.branches - 1)


TINY = Config(
    reader="words",
    text_dim=8,
    word_dim=6,
    image_size=16,
    branches=2,
    cond_dim=4,
    z_dim=3,
    gen_channels=8,
    disc_channels=2,
    blocks=1,
)  # for tests


class FirstBranch(nn.Module):
    """F_0 of eq. 7: conditioning and noise to the smallest feature map."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        doublings = cfg.first_side.bit_length() - 3
        widths = [cfg.gen_channels * 2**i for i in range(doublings, -1, -1)]
        self.width = widths[0]
        inner = self.width * 4 * 4
        self.fc = nn.Sequential(
            nn.Linear(cfg.cond_dim + cfg.z_dim, 2 * inner, bias=False),
            nn.BatchNorm1d(2 * inner),
            GLU(),
        )
        self.grow = nn.Sequential(*(_up(a, b) for a, b in pairwise(widths)))

    def forward(self, cond: Tensor, z: Tensor, shift: Tensor | None = None) -> Tensor:
        """(B, K), (B, Z), of the first map (B, C, 4, 4) -> (B, C', h, w)."""
        h = self.fc(torch.cat([cond, z], dim=1)).unflatten(1, (self.width, 4, 4))
        return self.grow(h if shift is None else h + shift)


class NextBranch(nn.Module):
    """F_i of eq. 7: a feature map and the conditioning again to one of twice the side."""

    def __init__(self, width: int, cfg: Config) -> None:
        super().__init__()
        self.join = _conv3_glu(width + cfg.told_dim, width)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(cfg.blocks)))
        self.up = _up(width, width // 2)

    def forward(self, h: Tensor, told: Tensor) -> Tensor:
        """(B, C, h, w), (B, K) or without captions (B, Z) -> (B, C / 2, 2 h, 2 w)."""
        return self.up(self.blocks(self.join(torch.cat([_spread(told, h), h], dim=1))))


class ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            *_conv3_glu(width, width), _conv3(width, width), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape; nothing after the sum."""
        return x + self.block(x)


class Generator(nn.Module):
    """The tree: one branch behind the other, a picture from each."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.cfg = cfg
        widths = [cfg.gen_channels // 2**i for i in range(cfg.branches)]
        self.augment = _augmentation(cfg) if cfg.cond_dim else None
        self.first = FirstBranch(cfg)
        self.next = nn.ModuleList(NextBranch(width, cfg) for width in widths[:-1])
        self.to_rgb = nn.ModuleList(_to_rgb(width) for width in widths[-len(cfg.sides) :])

    def draw(self, cond: Tensor, z: Tensor, shift: Tensor | None = None) -> list[Tensor]:
        """(B, K), (B, Z) -> pictures in [-1, 1], (B, 3, side, side) for each of `cfg.sides`."""
        maps = [self.first(cond, z, shift)]
        told = cond if self.cfg.cond_dim else z
        for branch in self.next:
            maps.append(branch(maps[-1], told))
        kept = maps[-len(self.to_rgb) :]
        return [to_rgb(h) for to_rgb, h in zip(self.to_rgb, kept, strict=True)]  # eq. 8

    def forward(
        self, sentence: Tensor, noise: Tensor, shift: Tensor | None = None
    ) -> tuple[list[Tensor], Conditioning]:
        """(B, D), (B, Z + K) -> the pictures and their conditioning."""
        z, eps = noise.split([self.cfg.z_dim, self.cfg.cond_dim], dim=1)
        drawn = self.condition(sentence, eps)
        return self.draw(drawn.cond, z, shift), drawn

    def condition(self, sentence: Tensor, eps: Tensor) -> Conditioning:
        """(B, D), (B, K) -> three of (B, K)."""
        return Conditioning(eps, eps, eps) if self.augment is None else self.augment(sentence, eps)


class Logits(NamedTuple):
    """What a discriminator holds of pictures, before the sigmoid."""

    conditional: Tensor  # (B,), real and of this caption (eq. 11, second half)
    unconditional: Tensor | None  # (B,), real (first half); None without JCU


class Discriminator(nn.Module):
    """D_i, for the pictures of one branch."""

    def __init__(self, cfg: Config, side: int) -> None:
        """`side` is that of its pictures, one of `cfg.sides`."""
        super().__init__()
        doublings = side.bit_length() - cfg.first_side.bit_length()
        halvings = cfg.first_side.bit_length() - 3
        widths = [cfg.disc_channels * 2**i for i in range(halvings + doublings)]
        inner = widths[halvings - 1]
        first = nn.Sequential(nn.Conv2d(3, widths[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2))
        down = (_down(a, b) for a, b in pairwise(widths))
        narrow = (_conv3_leaky(b, a) for a, b in reversed(list(pairwise(widths[halvings - 1 :]))))
        self.encoder = nn.Sequential(first, *down, *narrow)
        self.join = _conv3_leaky(inner + cfg.cond_dim, inner)
        self.conditional = nn.Conv2d(inner, 1, 4)
        self.unconditional = nn.Conv2d(inner, 1, 4) if cfg.jcu else None

    def forward(self, image: Tensor, cond: Tensor) -> Logits:
        """(B, 3, side, side) in [-1, 1], (B, K) -> logits; the authors show mu as `cond`."""
        h = self.encoder(image)  # (B, C, 4, 4)
        joint = self.join(torch.cat([_spread(cond, h), h], dim=1))
        free = self.unconditional(h).flatten() if self.unconditional is not None else None
        return Logits(self.conditional(joint).flatten(), free)


class StackganV2(Invertible):
    """The text encoder and the tree, as they are served."""

    tasks = frozenset({Task.GENERATE})

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg = cfg
        self.vocabulary = vocabulary
        self.reader = reader(cfg, vocabulary)
        self.generator = Generator(cfg)

    @property
    def noise_dim(self) -> int:
        """Z and K: the picture's own noise, then that of conditioning augmentation."""
        return self.cfg.z_dim + self.cfg.cond_dim

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        return self.reader.read(captions)

    @property
    def root_shape(self) -> tuple[int, int, int]:
        return self.generator.first.width, 4, 4

    def grow(self, text: TextFeatures, noise: Tensor, shift: Tensor | None) -> Output:
        pictures, _ = self.generator(text.sentence, noise, shift)
        return Output(pictures[-1], stages=tuple(pictures[:-1]))


SYSTEM = StackganV2  # what the registry serves


def _augmentation(cfg: Config) -> ConditioningAugmentation:
    layers = nn.Sequential(nn.Linear(cfg.text_dim, 4 * cfg.cond_dim), GLU())
    return ConditioningAugmentation(layers, augments=cfg.augments, truncation=cfg.truncation)


def _spread(cond: Tensor, h: Tensor) -> Tensor:
    """(B, K) -> (B, K, h, w), the same everywhere."""
    return cond[..., None, None].to(h.dtype).expand(-1, -1, *h.shape[2:])


def _conv3(c_in: int, c_out: int) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)


def _conv3_glu(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(_conv3(c_in, 2 * c_out), nn.BatchNorm2d(2 * c_out), GLU())


def _up(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Upsample(scale_factor=2), *_conv3_glu(c_in, c_out))


def _to_rgb(width: int) -> nn.Sequential:
    return nn.Sequential(_conv3(width, 3), nn.Tanh())


def _down(c_in: int, c_out: int) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, 4, 2, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.LeakyReLU(0.2))


def _conv3_leaky(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(_conv3(c_in, c_out), nn.BatchNorm2d(c_out), nn.LeakyReLU(0.2))
