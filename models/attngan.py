"""AttnGAN: a caption to a picture, drawn in stages, each looking at the words again.

Source: Xu et al., "AttnGAN: Fine-Grained Text to Image Generation with Attentional Generative
Adversarial Networks", CVPR 2018, arXiv:1711.10485; generator in section 3.1.
Not from the paper: sizes and number of stages are free (the paper has 64, 128 and 256 px), and
`upsample="subpixel"` makes a small network faster. `paints_every_stage=False` with `blocks=0` is
the paper's ablation AttnDCGAN.
Shapes: B batch, T words, D text width, Z noise width, K conditioning width, C channels,
S image side in pixels, h w sides of a feature map.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from models.attention import WordAttention
from models.base import Invertible, Output, TextFeatures
from models.conditioning import Conditioning, ConditioningAugmentation
from models.layers import GLU, SubPixelUp
from models.registry import Task
from models.text.bilstm import BiLSTM
from models.text.rows import word_rows
from models.text.vocabulary import Vocabulary

_START = 4  # side of the map that the first stage starts from and discriminators end at


@dataclass(frozen=True)
class Config:
    """Network sizes; the defaults are those published for birds."""

    image_size: int = 256  # S of the last stage
    stages: int = 3  # each doubles the side of the one before
    word_dim: int = 300  # of the text encoder's word vectors
    text_dim: int = 256  # D
    cond_dim: int = 100  # K
    augments: bool = True  # False: the caption's vector is its mean, without noise
    truncation: float = 1.0  # of that noise, where the network is not being trained
    z_dim: int = 100  # Z
    width: int = 32  # C of every stage's map
    blocks: int = 2  # residual blocks in each stage but the first
    max_words: int = 25  # T at most; what comes later is not read
    upsample: Literal["nearest", "subpixel"] = "nearest"
    paints_every_stage: bool = True  # else only the last
    disc_width: int = 64  # C of a discriminator next to the picture; doubles as the side halves

    def __post_init__(self) -> None:
        smallest = 2 * _START * 2 ** (self.stages - 1)
        if self.image_size < smallest or self.image_size.bit_count() != 1:
            raise ValueError(
                f"image_size must be a power of two from {smallest} up for {self.stages} stages, "
                f"not {self.image_size}"
            )

    @property
    def sides(self) -> tuple[int, ...]:
        """S of each stage, the smallest first."""
        return tuple(self.image_size >> later for later in reversed(range(self.stages)))

    @property
    def painted(self) -> tuple[int, ...]:
        """S of the stages that paint, each with a discriminator."""
        return self.sides if self.paints_every_stage else self.sides[-1:]


TINY = Config(
    image_size=16,
    stages=2,
    word_dim=6,
    text_dim=8,
    cond_dim=4,
    z_dim=3,
    width=4,
    blocks=1,
    disc_width=4,
)  # for tests


class ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            _conv3(width, 2 * width),
            nn.BatchNorm2d(2 * width),
            GLU(),
            _conv3(width, width),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape; no activation after the sum, as in the authors' code."""
        return x + self.block(x)


class FirstStage(nn.Module):
    """F_0: conditioning and noise to the first map."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        doublings = (cfg.sides[0] // _START).bit_length() - 1
        widths = [cfg.width << i for i in reversed(range(doublings + 1))]
        self.inner = widths[0]
        flat = 2 * self.inner * _START**2  # twice: half of it gates the other
        self.fc = nn.Sequential(
            nn.Linear(cfg.cond_dim + cfg.z_dim, flat, bias=False),
            nn.BatchNorm1d(flat),
            GLU(),
        )
        self.grow = nn.Sequential(*(_up(a, b, cfg.upsample) for a, b in pairwise(widths)))

    def forward(self, cond: Tensor, z: Tensor, shift: Tensor | None = None) -> Tensor:
        """(B, K), (B, Z), of the map it starts from -> (B, C, S, S), S of the first stage."""
        h = self.fc(torch.cat([cond, z], dim=1)).unflatten(1, (self.inner, _START, _START))
        return self.grow(h if shift is None else h + shift)


class NextStage(nn.Module):
    """F_i: the map before, with what the words say of each place, at twice the side."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        both = 2 * cfg.width
        self.attention = WordAttention(cfg.text_dim, cfg.width)
        self.blocks = nn.Sequential(*(ResidualBlock(both) for _ in range(cfg.blocks)))
        self.grow = _up(both, cfg.width, cfg.upsample)

    def forward(self, h: Tensor, text: TextFeatures) -> tuple[Tensor, Tensor]:
        """(B, C, h, w) and words -> (B, C, 2h, 2w), attention (B, T, h, w)."""
        context, weights = self.attention(h, text)
        return self.grow(self.blocks(torch.cat([h, context], dim=1))), weights


class Drawing(NamedTuple):
    """What the generator made, stage by stage."""

    images: tuple[Tensor, ...]  # (B, 3, S, S) in [-1, 1], one a stage that paints
    attentions: tuple[Tensor, ...]  # (B, T, h, w) in [0, 1], one a stage after the first
    conditioning: Conditioning


class Generator(nn.Module):
    """Conditioning augmentation and the stages, each with a painter of its own (eq. 1, 2)."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.augment = _augmentation(cfg)
        self.first = FirstStage(cfg)
        self.later = nn.ModuleList(NextStage(cfg) for _ in range(cfg.stages - 1))
        self.to_rgb = nn.ModuleList(_conv3(cfg.width, 3) for _ in cfg.painted)

    def forward(
        self, text: TextFeatures, z: Tensor, noise: Tensor, shift: Tensor | None = None
    ) -> Drawing:
        """Captions, (B, Z), noise (B, K) of the conditioning -> pictures and where words went."""
        drawn = self.augment(text.sentence, noise)
        maps, attentions = [self.first(drawn.cond, z, shift)], []
        for stage in self.later:
            h, weights = stage(maps[-1], text)
            maps.append(h)
            attentions.append(weights)
        painted = zip(self.to_rgb, maps[-len(self.to_rgb) :], strict=True)
        images = tuple(torch.tanh(to_rgb(h).float()) for to_rgb, h in painted)
        return Drawing(images, tuple(attentions), drawn)


class Discriminator(nn.Module):
    """Of one stage: is a picture real, and does it go with the sentence (eq. 5)."""

    def __init__(self, cfg: Config, side: int) -> None:
        super().__init__()
        halvings = (side // _START).bit_length() - 1
        widths = [cfg.disc_width << i for i in range(halvings)]
        inner = min(widths[-1], 8 * cfg.disc_width)
        narrower = [c for c in reversed(widths) if c >= inner]
        self.encoder = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, widths[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2)),
            *(_down(a, b) for a, b in pairwise(widths)),
            *(_mix(a, b) for a, b in pairwise(narrower)),
        )
        self.joint = _mix(inner + cfg.text_dim, inner)
        self.matches = nn.Conv2d(inner, 1, _START)
        self.realness = nn.Conv2d(inner, 1, _START)

    def look(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) -> features (B, C, 4, 4)."""
        return self.encoder(image)

    def match(self, features: Tensor, sentence: Tensor) -> Tensor:
        """Features, (B, D) -> logits (B,), whether pictures are real and go with sentences."""
        spread = sentence[..., None, None].to(features.dtype).expand(-1, -1, _START, _START)
        joint = self.joint(torch.cat([features, spread], dim=1))
        return self.matches(joint).flatten().float()

    def real(self, features: Tensor) -> Tensor:
        """Features -> logits (B,), whether pictures are real."""
        return self.realness(features).flatten().float()


class Attngan(Invertible):
    """The generator with its text encoder, as it is served."""

    tasks = frozenset({Task.GENERATE})

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg = cfg
        self.vocabulary = vocabulary
        self.text = BiLSTM(len(vocabulary), cfg.word_dim, cfg.text_dim)
        self.generator = Generator(cfg)

    @property
    def noise_dim(self) -> int:
        """Z of the picture and K of the conditioning, in this order."""
        return self.cfg.z_dim + self.cfg.cond_dim

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        """Captions -> features of width D.

        Raises:
            EmptyCaption: a caption has no word.
        """
        rows = word_rows(captions, self.vocabulary, self.cfg.max_words)
        return self.text(rows.to(self.text.embedding.weight.device))

    def draw(self, text: TextFeatures, noise: Tensor, shift: Tensor | None = None) -> Drawing:
        """Features and noise (B, Z + K) -> every stage's picture and attention."""
        z, of_conditioning = noise.split([self.cfg.z_dim, self.cfg.cond_dim], dim=1)
        return self.generator(text, z, of_conditioning, shift)

    @property
    def root_shape(self) -> tuple[int, int, int]:
        return self.generator.first.inner, _START, _START

    def grow(self, text: TextFeatures, noise: Tensor, shift: Tensor | None) -> Output:
        drawing = self.draw(text, noise, shift)
        return Output(drawing.images[-1], drawing.images[:-1], drawing.attentions)


SYSTEM = Attngan  # what the registry serves


def _augmentation(cfg: Config) -> ConditioningAugmentation:
    layers = nn.Sequential(nn.Linear(cfg.text_dim, 4 * cfg.cond_dim), GLU())
    return ConditioningAugmentation(layers, augments=cfg.augments, truncation=cfg.truncation)


def _conv3(c_in: int, c_out: int) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)


def _up(c_in: int, c_out: int, how: str) -> nn.Sequential:
    """Twice the side; half of what is computed gates the other half."""
    if how == "subpixel":
        grow: list[nn.Module] = [SubPixelUp(c_in, 2 * c_out)]
    else:
        grow = [nn.Upsample(scale_factor=2), _conv3(c_in, 2 * c_out)]
    return nn.Sequential(*grow, nn.BatchNorm2d(2 * c_out), GLU())


def _down(c_in: int, c_out: int) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.LeakyReLU(0.2))


def _mix(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(_conv3(c_in, c_out), nn.BatchNorm2d(c_out), nn.LeakyReLU(0.2))
