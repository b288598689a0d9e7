"""In-domain inversion: a photo to the code that a trained generator would draw it from, and back.

Source: Zhu, Shen, Zhao and Zhou, "In-Domain GAN Inversion for Real Image Editing", ECCV 2020,
arXiv:2004.00049; domain-guided encoder in section 3.1, regularised optimisation in section 3.2
(eq. 6); the encoder's layers are those of the authors' code.
Not from the paper, which inverts StyleGAN, a generator without words, and edits by moving the code
along a known direction: the generator is one that draws from captions (`models.base.Invertible`),
and the direction is the step from what the picture shows to what the caption says.
- The code has three parts. Noise (with that of conditioning augmentation) and a shift of the map
  that the generator starts from stand for the paper's W+: noise alone, a hundred numbers, is too
  little to find a photo again. The third, a sentence, is what the encoder takes the picture's
  caption to be, since a photo comes without one. Word attention sees it as the only word.
- Optimisation leaves the sentence alone: a new caption replaces it, so whatever it came to hide
  would be lost. Noise and shift stay.
- The shift is read off the encoder's last map, place by place, and not through its dense layer.
- Lite0 stands for VGG16 in the perceptual loss.
Shapes: B batch, D text width, Z noise width, C channels, S image side in pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from models import registry
from models.base import Invertible, Output, Prepared, System, TextFeatures
from models.descent import Adam
from models.lite import CONFIGS, Lite
from models.registry import Task
from models.text.vocabulary import Vocabulary

_ROOT = 4  # side of the map that generators start from and encoders end at
TAPS = 3  # of Lite0 that the perceptual loss compares: S/4, S/8 and S/16


class NotInvertible(ValueError):
    """The system does not draw from a code."""


@dataclass(frozen=True)
class Config:
    """The generator, the encoder's sizes, and how codes are optimised; defaults are the paper's,
    but for the generator and what goes with it.
    """

    generator: str = "stackgan_v2"  # its name in the registry
    generator_config: Mapping[str, Any] = field(default_factory=dict)
    channels: int = 64  # C of the encoder next to the picture; doubles as the side halves
    most_channels: int = 1024
    disc_channels: int = 64  # C after the discriminator's first layer
    steps: int = 100  # of optimisation
    rate: float = 0.01
    lambda_perceptual: float = 5e-4  # of Lite0's maps, whose squares are hundreds
    lambda_domain: float = 2.0  # how much of eq. 6 is that the encoder finds the code again

    def __post_init__(self) -> None:
        side = self.image_size
        if side < 2 * _ROOT or side.bit_count() != 1:
            wanted = f"a power of two from {2 * _ROOT} up"
            raise ValueError(f"{self.generator} draws pictures of {side} px, wanted {wanted}")

    @property
    def image_size(self) -> int:
        """S, the generator's."""
        module: Any = registry.find(self.generator).module()
        size: int = module.Config(**self.generator_config).image_size
        return size

    @property
    def widths(self) -> tuple[int, ...]:
        """C of the encoder at S, S/2, ... 4."""
        halvings = self.image_size.bit_length() - _ROOT.bit_length()
        return tuple(min(self.channels << i, self.most_channels) for i in range(halvings + 1))


TINY = Config(
    generator_config={
        "reader": "words",
        "text_dim": 8,
        "word_dim": 6,
        "image_size": 16,
        "branches": 2,
        "cond_dim": 4,
        "z_dim": 3,
        "gen_channels": 8,
        "blocks": 1,
    },
    channels=4,
    most_channels=8,
    disc_channels=4,
    steps=3,
)  # for tests


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, and nothing after the sum."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        inner = min(c_in, c_out)
        self.shortcut = nn.Identity() if c_in == c_out else _unit(c_in, c_out, 1, bias=False)
        self.block = nn.Sequential(*_unit(c_in, inner, 3), *_unit(inner, c_out, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C', h, w)."""
        return self.block(x) + self.shortcut(x)


class ScaledLinear(nn.Linear):
    """The encoder's end; its weights are stored larger than they are used, as the authors do."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(c_in, c_out, bias=False)
        nn.init.normal_(self.weight)
        self.scale = c_in**-0.5

    def forward(self, x: Tensor) -> Tensor:
        """(B, C) -> (B, C')."""
        return linear(x * self.scale, self.weight, self.bias)


class Encoder(nn.Module):
    """E: a picture to a map of what is where, and to the numbers of a code."""

    def __init__(self, widths: Sequence[int], length: int) -> None:
        """`widths` are C at each side from S down to 4."""
        super().__init__()
        self.first = _unit(3, widths[0], 3, bias=False)
        self.down = nn.Sequential(
            *(nn.Sequential(nn.AvgPool2d(2), ResidualBlock(a, b)) for a, b in pairwise(widths))
        )
        flat = widths[-1] * _ROOT**2
        self.last = nn.Sequential(ScaledLinear(flat, length), nn.BatchNorm1d(length))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S) in [-1, 1] -> (B, C, 4, 4), (B, length)."""
        h = self.down(self.first(image))
        return h, self.last(h.flatten(1))


class Discriminator(nn.Module):
    """D: whether a picture is real. The paper's is StyleGAN's; this one has no normalisation
    either, which the penalty on its gradients would not go with.
    """

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        widths = [min(cfg.disc_channels << i, cfg.most_channels) for i in range(len(cfg.widths))]
        self.layers = nn.Sequential(
            nn.Conv2d(3, widths[0], 3, padding=1),
            *(
                layer
                for a, b in pairwise(widths)
                for layer in (nn.LeakyReLU(0.2), nn.Conv2d(a, b, 4, stride=2, padding=1))
            ),
            nn.LeakyReLU(0.2),
            nn.Conv2d(widths[-1], 1, _ROOT),
        )

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> logits (B,)."""
        return self.layers(image).flatten()


class Code(NamedTuple):
    """What a picture is drawn from."""

    noise: Tensor  # (B, Z), of the picture and of conditioning augmentation
    sentence: Tensor  # (B, D), what the picture shows
    shift: Tensor  # (B, C, 4, 4), of the map that the generator starts from


class Inversion(System):
    """A trained generator with the encoder that finds a photo's code."""

    tasks = frozenset({Task.MANIPULATE})
    keeps_photo = False

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        """
        Raises:
            NotInvertible: the generator is none that draws from a code.
        """
        super().__init__()
        self.cfg = cfg
        self.vocabulary = vocabulary
        self.generator = _generator(cfg, vocabulary)
        self._parts = self.generator.noise_dim, self.generator.cfg.text_dim
        self.encoder = Encoder(cfg.widths, sum(self._parts))
        channels = self.generator.root_shape[0]
        self.to_shift = nn.Sequential(
            nn.Conv2d(cfg.widths[-1], channels, 1, bias=False), nn.BatchNorm2d(channels)
        )
        self.eyes = Lite(CONFIGS["lite0"].up_to(TAPS)).folded()  # random: load_lite has weights

    @property
    def noise_dim(self) -> int:
        """None: the noise is found in the picture."""
        return 0

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        return self.generator.encode_text(captions)

    def encode(self, image: Tensor) -> Code:
        """(B, 3, S, S) in [-1, 1] -> E's guess at the code."""
        h, numbers = self.encoder(image)
        noise, sentence = numbers.float().split(self._parts, dim=1)
        return Code(noise, sentence, self.to_shift(h).float())

    def draw(self, code: Code, text: TextFeatures | None = None) -> Tensor:
        """The picture of a code, (B, 3, S, S); by its own sentence, or by a caption instead."""
        read = as_text(code.sentence) if text is None else text
        return self.generator.grow(read, code.noise, code.shift).image

    def look(self, image: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, S, S) in [-1, 1] -> what the perceptual loss compares."""
        return self.eyes.features(image, TAPS)

    def distance(self, image: Tensor, seen: tuple[Tensor, ...], drawn: Tensor) -> Tensor:
        """How far drawn pictures are from photos and what is seen in them, (B,): the first two
        terms of eq. 4 and 6.
        """
        pairs = zip(seen, self.look(drawn), strict=True)
        perceptual = torch.stack([_mean((there - here).float() ** 2) for there, here in pairs])
        pixels = _mean((image - drawn) ** 2)
        return pixels + self.cfg.lambda_perceptual * perceptual.sum(0)

    def invert(self, image: Tensor) -> Code:
        """(B, 3, S, S) in [-1, 1] -> the code that eq. 6 has its minimum at, from E's guess on.

        Losses of a batch are added up, so that no picture has a say in another's code.
        """
        with torch.no_grad():
            guess, seen = self.encode(image), self.look(image)
        noise, shift = guess.noise.clone().requires_grad_(), guess.shift.clone().requires_grad_()
        descent = Adam([noise, shift], self.cfg.rate)
        for _ in range(self.cfg.steps):
            code = Code(noise, guess.sentence, shift)
            drawn = self.draw(code)
            again = self.encode(drawn)
            domain = _mean(torch.cat([_apart(noise, again.noise), _apart(shift, again.shift)], 1))
            loss = self.distance(image, seen, drawn) + self.cfg.lambda_domain * domain  # eq. 6
            descent.step(torch.autograd.grad(loss.sum(), [noise, shift]))
        return Code(noise.detach(), guess.sentence, shift.detach())

    def prepare(self, image: Tensor) -> Prepared:
        """(B, 3, S, S) in [-1, 1] -> the picture with its noise (B, Z, 1, 1), its shift, and how
        it is drawn from them and the sentence that was found.

        Works out gradients whatever mode it is called in; the weights must be no inference tensors.
        """
        with torch.inference_mode(False), torch.enable_grad():
            code = self.invert(image.clone())
        with torch.no_grad():
            drawn = self.draw(code)
        return Prepared(image, (code.noise[..., None, None], code.shift, drawn))

    def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
        """The picture drawn by the caption; before it, as a stage, how it was found again."""
        found, shift, drawn = prepared.features
        edited = self.generator.grow(text, found.flatten(1), shift).image
        return Output(edited, stages=(drawn,))


SYSTEM = Inversion  # what the registry serves


def as_text(sentence: Tensor) -> TextFeatures:
    """(B, D) -> features with the sentence as their one word."""
    mask = torch.ones(len(sentence), 1, dtype=torch.bool, device=sentence.device)
    return TextFeatures(sentence[:, None], sentence, mask)


def _generator(cfg: Config, vocabulary: Vocabulary) -> Invertible:
    module: Any = registry.find(cfg.generator).module()
    system = module.SYSTEM(module.Config(**cfg.generator_config), vocabulary)
    if not isinstance(system, Invertible):
        raise NotInvertible(
            f"{cfg.generator} does not draw from a code; stackgan_v2, for one, does"
        )
    return system


def _apart(a: Tensor, b: Tensor) -> Tensor:
    return ((a - b) ** 2).flatten(1)


def _mean(x: Tensor) -> Tensor:
    """(B, ...) -> (B,)."""
    return x.flatten(1).mean(1)


def _unit(c_in: int, c_out: int, kernel: int, *, bias: bool = True) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.LeakyReLU(0.2))
