"""GAN-INT-CLS: a caption and noise to a picture.

Source: Reed et al., "Generative Adversarial Text to Image Synthesis", ICML 2016,
arXiv:1605.05396; networks in section 4.1 and the authors' code. Its style encoder, section 4.4,
is models/style_encoder.py.
Not from the paper: `image_size` is free (the paper has 64 px); captions may be read by words;
`dcgan` is the widely used port of El-Nouby, whose weights can be had; `upsample="nearest"` is how
StackGAN's Stage-I (Zhang et al., arXiv:1612.03242) grows a picture.
Shapes: B batch, D text width, K width of the compressed caption, Z noise width, C channels,
S image side in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from models.base import Invertible, Output, TextFeatures
from models.registry import Task
from models.text.captions import Reading, reader
from models.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Config(Reading):
    """Network sizes; the defaults are the authors'."""

    image_size: int = 64  # S
    cond_dim: int = 128  # K
    z_dim: int = 100  # Z
    gen_channels: int = 128  # C of the generator next to the image; doubles with each halving
    disc_channels: int = 64  # C of the discriminator next to the image
    dcgan: bool = False  # plain stacks without residual blocks and biases, the caption before z
    upsample: Literal["transposed", "nearest"] = "transposed"

    def __post_init__(self) -> None:
        if self.image_size < 16 or self.image_size.bit_count() != 1:
            raise ValueError(f"image_size must be a power of two from 16 up, not {self.image_size}")

    @property
    def halvings(self) -> int:
        """How often the side is halved from S to 4."""
        return self.image_size.bit_length() - 3


TINY = Config(
    reader="words",
    text_dim=8,
    word_dim=6,
    image_size=16,
    cond_dim=4,
    z_dim=3,
    gen_channels=8,
    disc_channels=4,
)  # for tests


class Generator(nn.Module):
    """Noise and a sentence to a picture."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.cfg = cfg
        widths = [cfg.gen_channels * 2**i for i in range(cfg.halvings)][::-1]
        self.compress = _compress(cfg, normalised=cfg.dcgan)
        residual = [not cfg.dcgan and i < 2 for i in range(len(widths))]  # at 4x4 and 8x8
        steps = zip(pairwise([cfg.z_dim + cfg.cond_dim, *widths]), residual, strict=True)
        self.root_width = widths[0]
        self.grow = nn.Sequential(
            *(_up(a, b, cfg, first=i == 0, residual=r) for i, ((a, b), r) in enumerate(steps))
        )
        self.to_rgb = nn.Sequential(*_last_up(widths[-1], cfg), nn.Tanh())

    def forward(self, z: Tensor, sentence: Tensor, shift: Tensor | None = None) -> Tensor:
        """(B, Z), (B, D), of the first map (B, C, 4, 4) -> (B, 3, S, S) in [-1, 1]."""
        cond = self.compress(sentence)
        both = [cond, z] if self.cfg.dcgan else [z, cond]
        h = self.grow[0](torch.cat(both, dim=1)[..., None, None])
        return self.to_rgb(self.grow[1:](h if shift is None else h + shift))


class ImageEncoder(nn.Module):
    """The discriminator's look at a picture, which the style encoder shares."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        widths = [cfg.disc_channels * 2**i for i in range(cfg.halvings)]
        self.width = widths[-1]
        bias = not cfg.dcgan
        first = nn.Sequential(nn.Conv2d(3, widths[0], 4, 2, 1, bias=bias), nn.LeakyReLU(0.2))
        down = [_down(a, b, bias) for a, b in pairwise(widths)]
        if cfg.dcgan:
            down = [nn.Sequential(*layers, nn.LeakyReLU(0.2)) for layers in down]
        else:  # nothing follows the last but one, as in the authors' code
            down[:-2] = [nn.Sequential(*layers, nn.LeakyReLU(0.2)) for layers in down[:-2]]
            down[-1].append(ResidualBlock(widths[-1], nn.LeakyReLU(0.2)))
        self.layers = nn.Sequential(first, *down)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, C, 4, 4)."""
        return self.layers(image)


class Judgement(NamedTuple):
    """What the discriminator holds of pictures with captions."""

    logits: Tensor  # (B,), real and of this caption, before the sigmoid
    features: Tensor  # (B, C, 4, 4), what it saw, without the caption


class Discriminator(nn.Module):
    """Whether a picture is real and goes with its caption."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.encoder = ImageEncoder(cfg)
        self.compress = _compress(cfg, normalised=True)
        width = self.encoder.width
        if cfg.dcgan:
            self.judge = nn.Sequential(nn.Conv2d(width + cfg.cond_dim, 1, 4, bias=False))
        else:
            join = nn.Conv2d(width + cfg.cond_dim, width, 1)
            norm = nn.BatchNorm2d(width)
            self.judge = nn.Sequential(join, norm, nn.LeakyReLU(0.2), nn.Conv2d(width, 1, 4))

    def forward(self, image: Tensor, sentence: Tensor) -> Judgement:
        """(B, 3, S, S) in [-1, 1], (B, D) -> logits and features."""
        h = self.encoder(image)
        spread = self.compress(sentence)[..., None, None].expand(-1, -1, *h.shape[2:])
        return Judgement(self.judge(torch.cat([h, spread], dim=1)).flatten(), h)


class ResidualBlock(nn.Module):
    """A quarter of the width inside, `activation` between and after the sum."""

    def __init__(self, width: int, activation: nn.Module) -> None:
        super().__init__()
        inner = width // 4
        self.block = nn.Sequential(
            nn.Conv2d(width, inner, 1),
            nn.BatchNorm2d(inner),
            activation,
            nn.Conv2d(inner, inner, 3, padding=1),
            nn.BatchNorm2d(inner),
            activation,
            nn.Conv2d(inner, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        return self.activation(x + self.block(x))


class GanIntCls(Invertible):
    """The text encoder and the generator, as they are served."""

    tasks = frozenset({Task.GENERATE})

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg = cfg
        self.vocabulary = vocabulary
        self.reader = reader(cfg, vocabulary)
        self.generator = Generator(cfg)

    @property
    def noise_dim(self) -> int:
        return self.cfg.z_dim

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        return self.reader.read(captions)

    @property
    def root_shape(self) -> tuple[int, int, int]:
        return self.generator.root_width, 4, 4

    def grow(self, text: TextFeatures, noise: Tensor, shift: Tensor | None) -> Output:
        return Output(self.generator(noise, text.sentence, shift))


SYSTEM = GanIntCls  # what the registry serves


def _compress(cfg: Config, *, normalised: bool) -> nn.Sequential:
    norm = [nn.BatchNorm1d(cfg.cond_dim)] if normalised else []
    return nn.Sequential(nn.Linear(cfg.text_dim, cfg.cond_dim), *norm, nn.LeakyReLU(0.2))


def _up(c_in: int, c_out: int, cfg: Config, *, first: bool, residual: bool) -> nn.Sequential:
    after = ResidualBlock(c_out, nn.ReLU()) if residual else nn.ReLU()
    if first:  # 1x1 -> 4x4
        return nn.Sequential(
            nn.ConvTranspose2d(c_in, c_out, 4, bias=not cfg.dcgan), _first_norm(c_out, cfg), after
        )
    return nn.Sequential(_doubled(c_in, c_out, cfg), nn.BatchNorm2d(c_out), after)


def _first_norm(width: int, cfg: Config) -> nn.Module:
    """Over a channel of the 4x4 map; for smooth upsampling over each of its cells alone."""
    if cfg.upsample == "transposed":
        return nn.BatchNorm2d(width)
    cells = nn.BatchNorm1d(width * 4 * 4)
    return nn.Sequential(nn.Flatten(), cells, nn.Unflatten(1, (width, 4, 4)))


def _doubled(c_in: int, c_out: int, cfg: Config) -> nn.Module:
    """(B, C, h, w) -> (B, C', 2h, 2w)."""
    if cfg.upsample == "transposed":
        return nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=not cfg.dcgan)
    conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
    return nn.Sequential(nn.Upsample(scale_factor=2), conv)


def _last_up(width: int, cfg: Config) -> tuple[nn.Module, ...]:
    """From half the side to colours."""
    if cfg.upsample == "transposed":
        return (_doubled(width, 3, cfg),)
    inner = width // 2
    hidden = (_doubled(width, inner, cfg), nn.BatchNorm2d(inner), nn.ReLU())
    return (*hidden, nn.Conv2d(inner, 3, 3, padding=1))


def _down(c_in: int, c_out: int, bias: bool) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c_in, c_out, 4, 2, 1, bias=bias), nn.BatchNorm2d(c_out))
