"""TAGAN: a picture and a caption to the same picture with what the caption names changed.

Source: Nam, Kim and Kim, "Text-Adaptive Generative Adversarial Networks: Manipulating Images with
Natural Language", NeurIPS 2018, arXiv:1810.11919; generator in section 3.1, discriminator in 3.2.
Not from the paper: `image_size` and widths are free (the paper has 128 px); `upsample="subpixel"`,
`skips` and `blend` make a small network sharp and keep the background, and are off by default;
the paper's discriminator ends with training, here `scores` keeps what it says of each word.
Shapes: B batch, T words, E word-vector width, D text width, Z noise width, C channels,
S image side in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from models.base import Output, Prepared, System, TextFeatures
from models.conditioning import Conditioning, SeparateAugmentation
from models.layers import LivingGate, SubPixelUp
from models.registry import Task
from models.text.bigru import BiGRU
from models.text.rows import word_rows
from models.text.vocabulary import PAD, Vocabulary

_EPS = 1e-7  # as in the authors' code, so that the score's logarithm is finite


@dataclass(frozen=True)
class Config:
    """Network sizes; the defaults are the published ones."""

    image_size: int = 128  # S
    word_dim: int = 300  # E
    text_dim: int = 512  # D
    cond_dim: int = 128  # Z, and the width of the conditioning vector
    max_words: int = 50  # T at most; what comes later is not read
    widths: tuple[int, ...] = (64, 128, 256, 512)  # C of the encoder, halving the side between
    blocks: int = 4  # residual blocks
    upsample: Literal["nearest", "subpixel"] = "nearest"
    skips: bool = False  # add the encoder's features at every side of the decoder
    blend: bool = False  # also predict where to change; elsewhere the source's pixels stay
    disc_widths: tuple[int, ...] = (64, 128, 256, 512, 512)  # C of the discriminator
    word_level: bool = True  # False: the discriminator reads a caption's sentence as its one word
    scores: bool = False  # carry the discriminator's word level, if it has one, to score words
    shared_words: bool = False  # it reads the generator's word vectors, which never learnt

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))  # lists when read from JSON
        object.__setattr__(self, "disc_widths", tuple(self.disc_widths))
        smallest = 2 ** max(len(self.widths) - 1, len(self.disc_widths))
        if self.image_size < smallest or self.image_size % smallest:
            raise ValueError(
                f"image_size must be a multiple of {smallest}, not {self.image_size}, "
                f"for {len(self.widths)} widths and {len(self.disc_widths)} disc_widths"
            )
        if len(self.disc_widths) < 3:
            raise ValueError(f"the discriminator reads 3 layers, disc_widths={self.disc_widths}")


TINY = Config(
    image_size=16,
    word_dim=6,
    text_dim=8,
    cond_dim=4,
    widths=(4, 6, 8),
    blocks=1,
    disc_widths=(4, 6, 8),
    scores=True,
)  # for tests


class ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*_conv3(width, width), *_conv3(width, width)[:2])

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape; no ReLU after the sum, as in the authors' code."""
        return x + self.encoder(x)


class Generator(nn.Module):
    """Encoder, text-conditioned residual blocks, decoder."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.cfg = cfg
        inner = cfg.widths[-1]
        self.text = BiGRU(cfg.word_dim, cfg.text_dim)
        self.augment = SeparateAugmentation(cfg.text_dim, cfg.cond_dim, bias=True)
        first = nn.Sequential(nn.Conv2d(3, cfg.widths[0], 3, padding=1), nn.ReLU(inplace=True))
        down = (
            nn.Sequential(
                nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(b),
                nn.ReLU(inplace=True),
            )
            for a, b in pairwise(cfg.widths)
        )
        self.encoder = nn.ModuleList([first, *down])
        self.merge = nn.Sequential(*_conv3(inner + cfg.cond_dim, inner))
        self.blocks = nn.Sequential(*(ResidualBlock(inner) for _ in range(cfg.blocks)))
        self.decoder = nn.ModuleList(_up(a, b, cfg.upsample) for a, b in pairwise(cfg.widths[::-1]))
        self.to_rgb = nn.Conv2d(cfg.widths[0], 4 if cfg.blend else 3, 3, padding=1)
        if cfg.blend and self.to_rgb.bias is not None:  # start by keeping most of the source
            nn.init.constant_(self.to_rgb.bias[3:], -1.0)

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, S, S) -> features from the largest side to the smallest."""
        features = [image]
        for layer in self.encoder:
            features.append(layer(features[-1]))
        return tuple(features[1:])

    def decode(self, image: Tensor, features: tuple[Tensor, ...], cond: Tensor) -> Tensor:
        """(B, 3, S, S), features of `encode`, (B, Z) -> (B, 3, S, S) in [-1, 1]."""
        inner = features[-1]
        spread = cond[..., None, None].to(inner.dtype).expand(-1, -1, *inner.shape[2:])
        h = inner + self.blocks(self.merge(torch.cat([inner, spread], dim=1)))
        for layer, skip in zip(self.decoder, features[-2::-1], strict=True):
            h = layer(h)
            if self.cfg.skips:
                h = h + skip
        out = self.to_rgb(h).float()
        if not self.cfg.blend:
            return torch.tanh(out)
        where = LivingGate.apply(out[:, 3:])  # (B, 1, S, S), how far each pixel is replaced
        return image + where * (torch.tanh(out[:, :3]) - image)

    def forward(
        self, image: Tensor, vectors: Tensor, mask: Tensor, noise: Tensor
    ) -> tuple[Tensor, Conditioning]:
        """(B, 3, S, S), (B, T, E), (B, T), (B, Z) -> picture in [-1, 1] and its conditioning."""
        drawn = self.augment(self.text(vectors, mask).sentence, noise)
        return self.decode(image, self.encode(image), drawn.cond), drawn


class Judgement(NamedTuple):
    """What the discriminator holds of pictures with captions."""

    log_match: Tensor  # (B,), log D(x, t) of eq. 5, at most 0
    scores: Tensor  # (B, T) in [0, 1], how far each word is seen in the picture
    attention: Tensor  # (B, T), alpha of eq. 3: how much each word counts


class WordJudge(nn.Module):
    """Whether each word's local discriminator finds its word in a picture (section 3.2)."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        widths = cfg.disc_widths
        layers = [nn.Sequential(nn.Conv2d(3, widths[0], 4, 2, 1), nn.LeakyReLU(0.2))]
        layers += [
            nn.Sequential(
                nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)
            )
            for a, b in pairwise(widths)
        ]
        self.encoder = nn.ModuleList(layers)
        self.to_vector = nn.ModuleList(_to_vector(c) for c in widths[-3:])
        self.text = BiGRU(cfg.word_dim, cfg.text_dim)
        self.to_filter = nn.ModuleList(nn.Linear(cfg.text_dim, c + 1) for c in widths[-3:])
        self.to_layer = nn.Linear(cfg.text_dim, 3)
        self.word_level = cfg.word_level

    def maps(self, image: Tensor) -> list[Tensor]:
        """(B, 3, S, S) -> features, from the largest side to the smallest."""
        maps = [image]
        for layer in self.encoder:
            maps.append(layer(maps[-1]))
        return maps[1:]

    def vectors(self, maps: list[Tensor]) -> list[Tensor]:
        """Features -> image vectors v_j of the last 3 layers, (B, C) each."""
        pairs = zip(self.to_vector, maps[-3:], strict=True)
        return [pool(m).flatten(1).float() for pool, m in pairs]

    def match(self, vectors: list[Tensor], text: TextFeatures) -> Judgement:
        """Image vectors and caption features -> eq. 5 and its parts."""
        if not self.word_level:
            text = TextFeatures(text.sentence[:, None], text.sentence, text.mask[:, :1])
        words = text.words
        with torch.autocast(words.device.type, enabled=False):
            beta = self.to_layer(words).softmax(-1)  # (B, T, 3)
            layers = []
            for to_filter, v in zip(self.to_filter, vectors, strict=True):
                filters = to_filter(words)  # W(w_i) and b(w_i), (B, T, C + 1)
                layers.append(torch.einsum("btc,bc->bt", filters[..., :-1], v) + filters[..., -1])
            scores = (beta * torch.stack(layers, dim=-1).sigmoid()).sum(-1)  # eq. 2 inside eq. 5
            energy = (words * text.sentence[:, None]).sum(-1)
            attention = text.weigh(energy)  # eq. 3, u the temporal average
            log_match = (attention * (scores + _EPS).clamp(max=1).log()).sum(-1)  # eq. 5
        return Judgement(log_match, scores, attention)

    def forward(self, image: Tensor, text: TextFeatures) -> Judgement:
        """(B, 3, S, S) in [-1, 1] and captions as `text` reads them -> eq. 5 and its parts."""
        return self.match(self.vectors(self.maps(image)), text)

    def take(self, other: "WordJudge") -> None:
        """Become a copy of this part of `other`, which may be a whole discriminator."""
        mine = self.state_dict().keys()
        self.load_state_dict({k: v for k, v in other.state_dict().items() if k in mine})


class Discriminator(WordJudge):
    """And whether a picture is real."""

    def __init__(self, cfg: Config) -> None:
        super().__init__(cfg)
        side = cfg.image_size // 2 ** len(cfg.disc_widths)
        self.classifier = nn.Conv2d(cfg.disc_widths[-1], 1, side)

    def look(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, S, S) -> real-or-not logits (B,), image vectors v_j of the last 3 layers."""
        maps = self.maps(image)
        return self.classifier(maps[-1]).flatten().float(), self.vectors(maps)


class Tagan(System):
    """The generator with its words, as it is served."""

    tasks = frozenset({Task.MANIPULATE})

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg = cfg
        self.vocabulary = vocabulary
        self.embedding = self._embedding()
        self.generator = Generator(cfg)
        scores = cfg.scores and cfg.word_level
        self.judge = WordJudge(cfg) if scores else None
        self.judge_words = self._embedding() if scores and not cfg.shared_words else None

    def _embedding(self) -> nn.Embedding:
        return nn.Embedding(len(self.vocabulary), self.cfg.word_dim, padding_idx=PAD)

    @property
    def noise_dim(self) -> int:
        return self.cfg.cond_dim

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        """Captions -> features of width D, and as the discriminator's own encoder reads them.

        Raises:
            EmptyCaption: a caption has no word.
        """
        rows = word_rows(captions, self.vocabulary, self.cfg.max_words)
        index = rows.to(self.embedding.weight.device)
        text = self.generator.text(self.embedding(index), index != PAD)
        if self.judge is None:
            return text
        vectors = (self.judge_words or self.embedding)(index)
        return replace(text, judged=self.judge.text(vectors, index != PAD))

    def prepare(self, image: Tensor) -> Prepared:
        return Prepared(image, self.generator.encode(image))

    def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
        cond = self.generator.augment(text.sentence, noise).cond
        image = self.generator.decode(prepared.image, prepared.features, cond)
        if self.judge is None or text.judged is None:
            return Output(image)
        return Output(image, scores=self.judge(image, text.judged).scores)


SYSTEM = Tagan  # what the registry serves


def _conv3(c_in: int, c_out: int) -> list[nn.Module]:
    conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)]


def _up(c_in: int, c_out: int, how: str) -> nn.Sequential:
    if how == "subpixel":
        grow: list[nn.Module] = [SubPixelUp(c_in, c_out)]
    else:
        grow = [nn.Upsample(scale_factor=2), nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)]
    return nn.Sequential(*grow, nn.BatchNorm2d(c_out), nn.ReLU(inplace=True))


def _to_vector(width: int) -> nn.Sequential:
    conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
    norm = nn.BatchNorm2d(width)
    return nn.Sequential(conv, norm, nn.LeakyReLU(0.2), nn.AdaptiveAvgPool2d(1))
