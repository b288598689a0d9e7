"""SISGAN: a picture and a caption to a new picture that has the words' object in the photo's place.

Source: Dong, Yu, Wu and Guo, "Semantic Image Synthesis via Adversarial Learning", ICCV 2017,
arXiv:1707.06873; generator and discriminator in section 3, text encoder: models/text/vse.py.
Not from the paper: sizes are free (the paper has 64 px); `encoder="lite0"` sees the picture through
a frozen EfficientNet-Lite0, where the paper has VGG16.
Shapes: B batch, T words, D text width, Z noise width, C channels, S image side in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from models.base import Output, Prepared, System, TextFeatures
from models.conditioning import Conditioning, SeparateAugmentation
from models.lite import CONFIGS, Lite
from models.registry import Task
from models.text.vocabulary import Vocabulary
from models.text.vse import Reading, SentenceReader

_VGG_WIDTHS = ((64, 64), (128, 128), (256, 256, 256, 512, 512, 512))  # between them, S is halved
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean, deviation, of R, G, B in [0, 1]
_LITE_TAPS = 2  # S/4 and S/8


@dataclass(frozen=True)
class Config:
    """Network sizes; the defaults are the published ones, without a pretrained encoder."""

    image_size: int = 64  # S
    text: Reading = field(default_factory=Reading)
    cond_dim: int = 128  # Z, and the width of the conditioning vector
    encoder: Literal["plain", "vgg16", "lite0"] = "plain"  # the last two come pretrained
    widths: tuple[int, int, int] = (128, 256, 512)  # C of the decoder, and of a plain encoder
    blocks: int = 4  # residual blocks
    disc_widths: tuple[int, ...] = (64, 128, 256, 512)  # C of the discriminator
    disc_text_dim: int = 128  # width to which it compresses the sentence

    def __post_init__(self) -> None:
        if isinstance(self.text, dict):  # a mapping and lists when read from JSON
            object.__setattr__(self, "text", Reading(**self.text))
        object.__setattr__(self, "widths", tuple(self.widths))
        object.__setattr__(self, "disc_widths", tuple(self.disc_widths))
        smallest = 2 ** max(2, len(self.disc_widths))
        if self.image_size < smallest or self.image_size % smallest:
            raise ValueError(
                f"image_size must be a multiple of {smallest}, not {self.image_size}, "
                f"for {len(self.disc_widths)} disc_widths"
            )
        if len(self.widths) != 3:
            raise ValueError(f"the decoder doubles the side twice: three widths, not {self.widths}")
        if self.encoder == "vgg16" and self.widths[-1] != _VGG_WIDTHS[-1][-1]:
            raise ValueError(f"VGG16 ends with 512 channels, the widths with {self.widths[-1]}")


TINY = Config(
    image_size=16,
    text=Reading(word_dim=6, text_dim=8, max_words=9),
    cond_dim=4,
    widths=(4, 6, 8),
    blocks=1,
    disc_widths=(4, 8, 8),
    disc_text_dim=4,
)  # for tests


class LiteEncoder(nn.Module):
    """A frozen network's first two maps, laid over each other and mixed."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.eyes = Lite(CONFIGS["lite0"]).folded()  # random; load_lite("lite0") has the weights
        channels = sum(self.eyes.cfg.tap_channels[:_LITE_TAPS])
        self.mix = nn.Sequential(
            nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, C, S/4, S/4)."""
        fine, coarse = self.eyes.features(image, _LITE_TAPS)
        return self.mix(torch.cat([fine, interpolate(coarse, fine.shape[2:])], dim=1))


class ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *_conv3(width, width), nn.ReLU(inplace=True), *_conv3(width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape, with a ReLU after the sum."""
        return torch.relu(x + self.encoder(x))


class Generator(nn.Module):
    """Encoder, residual transformation unit, decoder."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.cfg = cfg
        inner = cfg.widths[-1]
        self.augment = SeparateAugmentation(cfg.text.text_dim, cfg.cond_dim, bias=False)
        self.encoder = _encoder(cfg)
        self.merge = nn.Sequential(*_conv3(inner + cfg.cond_dim, inner))  # no ReLU, as published
        self.blocks = nn.Sequential(*(ResidualBlock(inner) for _ in range(cfg.blocks)))
        self.decoder = nn.Sequential(*(_up(a, b) for a, b in pairwise(cfg.widths[::-1])))
        self.to_rgb = nn.Conv2d(cfg.widths[0], 3, 3, padding=1)

    def encode(self, seen: Tensor) -> Tensor:
        """(B, 3, S, S), scaled as `scaled_for` does -> (B, C, S/4, S/4)."""
        return self.encoder(seen)

    def decode(self, encoded: Tensor, cond: Tensor) -> Tensor:
        """(B, C, S/4, S/4), (B, Z) -> (B, 3, S, S) in [-1, 1]."""
        spread = cond[..., None, None].to(encoded.dtype).expand(-1, -1, *encoded.shape[2:])
        h = self.blocks(self.merge(torch.cat([encoded, spread], dim=1)))
        return torch.tanh(self.to_rgb(self.decoder(h)).float())

    def forward(self, seen: Tensor, sentence: Tensor, noise: Tensor) -> tuple[Tensor, Conditioning]:
        """(B, 3, S, S), (B, D), (B, Z) -> picture in [-1, 1] and its conditioning."""
        drawn = self.augment(sentence, noise)
        return self.decode(self.encode(seen), drawn.cond), drawn


class Discriminator(nn.Module):
    """Whether a picture is real and goes with a sentence, in one logit."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        widths = cfg.disc_widths
        last, neck = widths[-1], widths[-1] // 4
        self.encoder = nn.Sequential(
            nn.Conv2d(3, widths[0], 4, 2, 1),
            *(layer for a, b in pairwise(widths) for layer in (nn.LeakyReLU(0.2), *_down(a, b))),
        )
        self.residual = nn.Sequential(
            *_conv1(last, neck),
            nn.LeakyReLU(0.2),
            *_conv3(neck, neck),
            nn.LeakyReLU(0.2),
            *_conv3(neck, last),
        )
        self.compress = nn.Sequential(
            nn.Linear(cfg.text.text_dim, cfg.disc_text_dim), nn.LeakyReLU(0.2)
        )
        side = cfg.image_size // 2 ** len(widths)
        self.classifier = nn.Sequential(
            *_conv1(last + cfg.disc_text_dim, last), nn.LeakyReLU(0.2), nn.Conv2d(last, 1, side)
        )

    def look(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, C, h, w), the same for every caption."""
        h = self.encoder(image)
        return leaky_relu(h + self.residual(h), 0.2)

    def judge(self, looked: Tensor, sentence: Tensor) -> Tensor:
        """(B, C, h, w), (B, D) -> logits (B,), high for a real picture of these words."""
        words = self.compress(sentence)[..., None, None].to(looked.dtype)
        h = torch.cat([looked, words.expand(-1, -1, *looked.shape[2:])], dim=1)
        return self.classifier(h).flatten().float()

    def forward(self, image: Tensor, sentence: Tensor) -> Tensor:
        """(B, 3, S, S), (B, D) -> logits (B,)."""
        return self.judge(self.look(image), sentence)


class Sisgan(System):
    """The generator with its words, as it is served."""

    tasks = frozenset({Task.MANIPULATE})

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg = cfg
        self.vocabulary = vocabulary
        self.text = SentenceReader(cfg.text, vocabulary)
        self.generator = Generator(cfg)

    @property
    def noise_dim(self) -> int:
        return self.cfg.cond_dim

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        return self.text.read(captions)

    def prepare(self, image: Tensor) -> Prepared:
        return Prepared(image, (self.generator.encode(scaled_for(self.cfg.encoder, image)),))

    def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
        cond = self.generator.augment(text.sentence, noise).cond
        return Output(self.generator.decode(prepared.features[0], cond))


SYSTEM = Sisgan  # what the registry serves


def scaled_for(encoder: str, image: Tensor) -> Tensor:
    """[-1, 1] -> the numbers that the encoder was trained on; Lite0 scales for itself."""
    if encoder != "vgg16":
        return image
    mean, deviation = image.new_tensor(_IMAGENET)[..., None, None]
    return ((image + 1) / 2 - mean) / deviation


def _encoder(cfg: Config) -> nn.Module:
    """(B, 3, S, S) -> (B, C, S/4, S/4)."""
    match cfg.encoder:
        case "lite0":
            return LiteEncoder(cfg.widths[-1])
        case "vgg16":
            return _vgg16()
        case "plain":
            first = (nn.Conv2d(3, cfg.widths[0], 3, padding=1), nn.ReLU(inplace=True))
            down = (
                layer
                for a, b in pairwise(cfg.widths)
                for layer in (*_down(a, b), nn.ReLU(inplace=True))
            )
            return nn.Sequential(*first, *down)


def _vgg16() -> nn.Sequential:
    """The first ten convolutions of VGG16 with normalisation, frozen; it halves the side twice."""
    layers: list[nn.Module] = []
    c_in = 3
    for i, widths in enumerate(_VGG_WIDTHS):
        layers += [nn.MaxPool2d(2)] if i else []
        for c_out in widths:
            conv = nn.Conv2d(c_in, c_out, 3, padding=1)
            layers += [conv, nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)]
            c_in = c_out
    return nn.Sequential(*layers).requires_grad_(False)


def _conv3(c_in: int, c_out: int) -> list[nn.Module]:
    return [nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out)]


def _conv1(c_in: int, c_out: int) -> list[nn.Module]:
    return [nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out)]


def _down(c_in: int, c_out: int) -> list[nn.Module]:
    conv = nn.Conv2d(c_in, c_out, 4, stride=2, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(c_out)]


def _up(c_in: int, c_out: int) -> nn.Sequential:
    grow = nn.Upsample(scale_factor=2)
    return nn.Sequential(grow, *_conv3(c_in, c_out), nn.ReLU(inplace=True))
