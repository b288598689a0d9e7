"""StackGAN: a caption to a small sketch, and sketch and caption again to a larger picture.

Source: Zhang et al., "StackGAN: Text to Photo-realistic Image Synthesis with Stacked Generative
Adversarial Networks", ICCV 2017, arXiv:1612.03242; conditioning augmentation in section 3.2,
Stage-I in 3.3, Stage-II in 3.4.
Not from the paper: `image_size` is free (the paper has 64 and 256 px), a checkpoint may hold
Stage-I alone, and captions may be read by words.
Shapes: B batch, D text width, K width of the conditioning vector, Z noise width, C channels,
S side in pixels of the last picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from models.base import Output, System, TextFeatures
from models.conditioning import Conditioning, ConditioningAugmentation
from models.registry import Task
from models.text.captions import Reading, reader
from models.text.vocabulary import Vocabulary

ENLARGEMENT = 4  # how many times the side of Stage-I's picture that of Stage-II is


@dataclass(frozen=True)
class Config(Reading):
    """Network sizes; the defaults are those of the published weights, for COCO."""

    image_size: int = 256  # S
    stages: Literal[1, 2] = 2  # 1: Stage-I alone, and S is its side
    cond_dim: int = 128  # K
    augments: bool = True  # False: the caption's vector is its mean, without noise
    truncation: float = 1.0  # of that noise, where the network is not being trained
    z_dim: int = 100  # Z, without that of conditioning augmentation
    gen_channels: int = 192  # C of Stage-II next to the sketch, and twice that of Stage-I's end
    disc_channels: int = 96  # C after a discriminator's first layer
    blocks: int = 2  # residual blocks of Stage-II

    def __post_init__(self) -> None:
        smallest = 8 if self.stages == 1 else 8 * ENLARGEMENT
        if self.image_size < smallest or self.image_size.bit_count() != 1:
            raise ValueError(
                f"image_size must be a power of two from {smallest} up, not {self.image_size}, "
                f"for {self.stages} stages"
            )
        if self.gen_channels % 4:
            raise ValueError(f"gen_channels must be a multiple of 4, not {self.gen_channels}")

    @property
    def sketch_side(self) -> int:
        """Side in pixels of Stage-I's picture."""
        return self.image_size if self.stages == 1 else self.image_size // ENLARGEMENT


TINY = Config(
    reader="words",
    text_dim=8,
    word_dim=6,
    image_size=32,
    cond_dim=4,
    z_dim=3,
    gen_channels=4,
    disc_channels=2,
    blocks=1,
)  # for tests


class StageOne(nn.Module):
    """G_0: rough shape and colours from the caption and noise."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.cfg = cfg
        doublings = cfg.sketch_side.bit_length() - 3
        widths = [cfg.gen_channels * 2**i // 2 for i in range(doublings, -1, -1)]
        self.width = widths[0]
        inner = self.width * 4 * 4
        self.augment = _augmentation(cfg)
        self.fc = nn.Sequential(
            nn.Linear(cfg.z_dim + cfg.cond_dim, inner, bias=False),
            nn.BatchNorm1d(inner),
            nn.ReLU(inplace=True),
        )
        self.grow = nn.Sequential(*(_up(a, b) for a, b in pairwise(widths)))
        self.to_rgb = _to_rgb(widths[-1])

    def forward(self, sentence: Tensor, z: Tensor, eps: Tensor) -> tuple[Tensor, Conditioning]:
        """(B, D), (B, Z), (B, K) -> picture in [-1, 1] and its conditioning."""
        drawn = self.augment(sentence, eps)
        h = self.fc(torch.cat([z, drawn.cond], dim=1)).unflatten(1, (self.width, 4, 4))
        return self.to_rgb(self.grow(h)), drawn


class ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            *_conv3(width, width), nn.ReLU(inplace=True), *_conv3(width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        return torch.relu(x + self.block(x))


class StageTwo(nn.Module):
    """G: corrects a sketch and adds detail, conditioned on the caption once more."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        c = cfg.gen_channels
        self.augment = _augmentation(cfg)
        first = nn.Sequential(nn.Conv2d(3, c, 3, padding=1, bias=False), nn.ReLU(inplace=True))
        self.encoder = nn.Sequential(first, _down(c, 2 * c), _down(2 * c, 4 * c))
        self.join = nn.Sequential(*_conv3(4 * c + cfg.cond_dim, 4 * c), nn.ReLU(inplace=True))
        self.blocks = nn.Sequential(*(ResidualBlock(4 * c) for _ in range(cfg.blocks)))
        widths = [4 * c, 2 * c, c, c // 2, c // 4]
        self.grow = nn.Sequential(*(_up(a, b) for a, b in pairwise(widths)))
        self.to_rgb = _to_rgb(widths[-1])

    def forward(self, sketch: Tensor, sentence: Tensor, eps: Tensor) -> tuple[Tensor, Conditioning]:
        """(B, 3, S/4, S/4) in [-1, 1], (B, D), (B, K) -> picture in [-1, 1], its conditioning."""
        drawn = self.augment(sentence, eps)
        h = self.encoder(sketch)
        h = self.blocks(self.join(torch.cat([h, _spread(drawn.cond, h)], dim=1)))
        return self.to_rgb(self.grow(h)), drawn


class Generator(nn.Module):
    """Both stages, or the first alone."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.cfg = cfg
        self.stage_one = StageOne(cfg)
        self.stage_two = StageTwo(cfg) if cfg.stages == 2 else None

    @property
    def noise_dim(self) -> int:
        """Z, then K for each stage's conditioning augmentation."""
        return self.cfg.z_dim + self.cfg.stages * self.cfg.cond_dim

    def forward(self, sentence: Tensor, noise: Tensor) -> tuple[list[Tensor], Conditioning]:
        """(B, D), (B, Z + K a stage) -> a picture a stage, and the last stage's conditioning."""
        z, *eps = noise.split([self.cfg.z_dim] + [self.cfg.cond_dim] * self.cfg.stages, dim=1)
        sketch, drawn = self.stage_one(sentence, z, eps[0])
        if self.stage_two is None:
            return [sketch], drawn
        picture, drawn = self.stage_two(sketch, sentence, eps[1])
        return [sketch, picture], drawn


class Logits(NamedTuple):
    """What a discriminator holds of pictures, before the sigmoid."""

    conditional: Tensor  # (B,), real and of this caption (eq. 3 and 5)
    unconditional: Tensor | None  # (B,), real; the authors' Stage-II has it, Stage-I does not


class Discriminator(nn.Module):
    """D_0 or D, for the pictures of one stage."""

    def __init__(self, cfg: Config, stage: Literal[1, 2]) -> None:
        super().__init__()
        halvings = cfg.sketch_side.bit_length() - 3
        doublings = 2 if stage == 2 else 0
        widths = [cfg.disc_channels * 2**i for i in range(halvings + doublings)]
        inner = widths[halvings - 1]
        first = nn.Sequential(nn.Conv2d(3, widths[0], 4, 2, 1, bias=False), _leaky())
        down = (_down(a, b, _leaky()) for a, b in pairwise(widths))
        narrow = (_narrow(b, a) for a, b in reversed(list(pairwise(widths[halvings - 1 :]))))
        self.encoder = nn.Sequential(first, *down, *narrow)
        self.join = _narrow(inner + cfg.cond_dim, inner)
        self.conditional = nn.Conv2d(inner, 1, 4)
        self.unconditional = nn.Conv2d(inner, 1, 4) if stage == 2 else None

    def forward(self, image: Tensor, cond: Tensor) -> Logits:
        """(B, 3, side, side) in [-1, 1], (B, K) -> logits; the authors show mu as `cond`."""
        h = self.encoder(image)  # (B, C, 4, 4)
        joint = self.join(torch.cat([h, _spread(cond, h)], dim=1))
        free = self.unconditional(h).flatten() if self.unconditional is not None else None
        return Logits(self.conditional(joint).flatten(), free)


class Stackgan(System):
    """The text encoder and the stages, as they are served."""

    tasks = frozenset({Task.GENERATE})

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg = cfg
        self.vocabulary = vocabulary
        self.reader = reader(cfg, vocabulary)
        self.generator = Generator(cfg)

    @property
    def noise_dim(self) -> int:
        return self.generator.noise_dim

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        return self.reader.read(captions)

    def generate(self, text: TextFeatures, noise: Tensor) -> Output:
        pictures, _ = self.generator(text.sentence, noise)
        return Output(pictures[-1], stages=tuple(pictures[:-1]))


SYSTEM = Stackgan  # what the registry serves


def _augmentation(cfg: Config) -> ConditioningAugmentation:
    """Its ReLU makes mean and log variance at least 0, as in the authors' code."""
    layers = nn.Sequential(nn.Linear(cfg.text_dim, 2 * cfg.cond_dim), nn.ReLU())
    return ConditioningAugmentation(layers, augments=cfg.augments, truncation=cfg.truncation)


def _spread(cond: Tensor, h: Tensor) -> Tensor:
    """(B, K) -> (B, K, h, w), the same everywhere."""
    return cond[..., None, None].to(h.dtype).expand(-1, -1, *h.shape[2:])


def _leaky() -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True)


def _conv3(c_in: int, c_out: int) -> list[nn.Module]:
    return [nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out)]


def _up(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Upsample(scale_factor=2), *_conv3(c_in, c_out), nn.ReLU(inplace=True))


def _down(c_in: int, c_out: int, after: nn.Module | None = None) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, 4, 2, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), after or nn.ReLU(inplace=True))


def _narrow(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(*_conv3(c_in, c_out), _leaky())


def _to_rgb(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, 3, 3, padding=1, bias=False), nn.Tanh())
