"""TIRG: a picture and words to a place among pictures, near those that are like it but as asked.

Source: Vo et al., "Composing Text and Image for Image Retrieval - An Empirical Odyssey", CVPR 2019,
arXiv:1812.07119, section 3; eq. 1 to 3 are here, the losses (eq. 4 to 6) in training/tirg.py.
As in the authors' code, the two layers of gate and residual come after one normalisation of picture
and words side by side, w_g starts at 1 and w_r at 10, and the last state of the LSTM goes through a
linear layer; its dropout is left out.
Not from the paper: the trunk is a frozen EfficientNet-Lite0, whose maps of all resolutions are laid
over each other, below layers of our own; `attention=True`, by which regions look at each other and
at the words that concern them; and a vector that stands for a missing picture, so that words alone
can be searched by.
Shapes: B batch, T words, E word-vector width, D width of pictures and texts alike, F width of the
trunk's maps, h w sides of a map (1 at the level "pooled"), S image side in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.attention import WordAttention
from models.base import Prepared, System, TextFeatures
from models.lite import CONFIGS, Lite
from models.registry import Task
from models.text.rows import word_rows
from models.text.vocabulary import PAD, Vocabulary

_STRIDE = 32  # of the trunk: pixels to one place of its last map


@dataclass(frozen=True)
class Config:
    """Network sizes; the defaults are the paper's for Fashion200k."""

    image_size: int = 224  # S
    embed_dim: int = 512  # D
    word_dim: int = 512  # E
    max_words: int = 50  # T at most; what comes later is not read
    composition: Literal["gated", "concat", "image", "text"] = "gated"  # all others are baselines
    level: Literal["pooled", "map"] = "pooled"  # where it happens: "last FC" or "last conv"
    attention: bool = False  # regions look at each other and at words; only at the level "map"

    def __post_init__(self) -> None:
        if self.attention and self.level != "map":
            raise ValueError("attention is between regions; it takes the level 'map'")

    @property
    def map_side(self) -> int:
        """h and w of what is composed."""
        return -(-self.image_size // _STRIDE) if self.level == "map" else 1


TINY = Config(image_size=48, embed_dim=8, word_dim=6, max_words=9)  # for tests


class Trunk(nn.Module):
    """EfficientNet-Lite0's four maps, brought to the side of the last."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Lite(CONFIGS["lite0"]).folded()  # random; load_lite("lite0") has the weights

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, F, S/32, S/32), rounded up."""
        maps = self.network.features(image)
        side = maps[-1].shape[2:]
        return torch.cat([interpolate(m, side, mode="area") for m in maps], dim=1)


class ImageEncoder(nn.Module):
    """What is learnt above the trunk: a layer at each place, and one of their mean."""

    def __init__(self, width: int) -> None:
        super().__init__()
        seen = sum(CONFIGS["lite0"].tap_channels)  # F
        self.places = nn.Sequential(
            nn.BatchNorm2d(seen),
            nn.Conv2d(seen, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.whole = nn.Linear(width, width)

    def forward(self, seen: Tensor) -> Tensor:
        """(B, F, h, w) of the trunk -> (B, D, h, w), the "last conv"."""
        return self.places(seen)

    def pool(self, places: Tensor) -> Tensor:
        """(B, D, h, w) -> (B, D), the "last FC"."""
        return self.whole(places.mean((2, 3)))


class TextEncoder(nn.Module):
    """Word vectors and an LSTM over them; the sentence is made of its state at the last word."""

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.vocabulary, self.max_words = vocabulary, cfg.max_words
        self.embedding = nn.Embedding(len(vocabulary), cfg.word_dim, padding_idx=PAD)
        self.rnn = nn.LSTM(cfg.word_dim, cfg.embed_dim, batch_first=True)
        self.whole = nn.Linear(cfg.embed_dim, cfg.embed_dim)

    def forward(self, index: Tensor) -> TextFeatures:
        """(B, T) word indices, padding last -> features of width D, zero at padding."""
        mask = index != PAD
        with torch.autocast(index.device.type, enabled=False):
            packed = pack_padded_sequence(
                self.embedding(index), mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
            )
            hidden, (last, _) = self.rnn(packed)
            words, _ = pad_packed_sequence(hidden, batch_first=True, total_length=index.shape[1])
        return TextFeatures(words, self.whole(last[0]), mask)

    def read(self, captions: Sequence[str]) -> TextFeatures:
        """Captions -> features, padded to the longest.

        Raises:
            EmptyCaption: a caption has no word.
        """
        index = word_rows(captions, self.vocabulary, self.max_words)
        return self(index.to(self.embedding.weight.device))


class SelfAttention(nn.Module):
    """Each region takes in what others hold; at first nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Conv2d(width, width, 1) for _ in range(3))
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, h, w) -> the same shape."""
        query, key, value = (f(x).flatten(2) for f in (self.query, self.key, self.value))
        scores = torch.einsum("bdi,bdj->bij", query, key).float() / x.shape[1] ** 0.5
        taken = torch.einsum("bij,bdj->bdi", scores.softmax(2).to(value.dtype), value)
        return x + self.share * taken.view_as(x)


class Told(nn.Module):
    """The text at each place of a picture: the sentence and, with attention, the words for it."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.attends = cfg.attention
        if cfg.attention:
            self.regions = SelfAttention(cfg.embed_dim)
            self.words = WordAttention(cfg.embed_dim, cfg.embed_dim)

    def forward(self, phi: Tensor, text: TextFeatures) -> Tensor:
        """(B, D, h, w) -> picture and text side by side, (B, 2 D, h, w)."""
        sentence = text.sentence[..., None, None].expand_as(phi)
        if self.attends:
            phi = self.regions(phi)
            said, _ = self.words(phi, text)
            sentence = sentence + said
        return torch.cat([phi, sentence.to(phi.dtype)], dim=1)


class GatedResidual(nn.Module):
    """The picture where the gate lets it through, and what the words add to it."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.told = Told(cfg)
        self.gate, self.residual = _layers(cfg), _layers(cfg)
        self.w_gate = nn.Parameter(torch.tensor(1.0))
        self.w_residual = nn.Parameter(torch.tensor(10.0))

    def forward(self, phi: Tensor, text: TextFeatures) -> Tensor:
        """(B, D, h, w) -> the same shape."""
        both = self.told(phi, text)
        gated = self.gate(both).sigmoid() * phi  # eq. 2
        return self.w_gate * gated + self.w_residual * self.residual(both)  # eq. 1 and 3


class Concatenation(nn.Module):
    """The baseline: picture and words through two layers, and nothing of the picture kept."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.told = Told(cfg)
        self.layers = _layers(cfg)

    def forward(self, phi: Tensor, text: TextFeatures) -> Tensor:
        """(B, D, h, w) -> the same shape."""
        return self.layers(self.told(phi, text))


class ImageOnly(nn.Module):
    """The baseline that does not read."""

    def forward(self, phi: Tensor, text: TextFeatures) -> Tensor:
        """(B, D, h, w) -> the same."""
        return phi


class TextOnly(nn.Module):
    """The baseline that does not look."""

    def forward(self, phi: Tensor, text: TextFeatures) -> Tensor:
        """(B, D, h, w) -> the sentence at each place."""
        return text.sentence[..., None, None].expand_as(phi)


class Network(nn.Module):
    """All that is learnt, above the frozen trunk."""

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg = cfg
        self.image = ImageEncoder(cfg.embed_dim)
        self.text = TextEncoder(cfg, vocabulary)
        self.composer = _composer(cfg)
        self.missing = nn.Parameter(torch.zeros(1, cfg.embed_dim, 1, 1))

    def see(self, seen: Tensor) -> Tensor:
        """(B, F, h, w) of the trunk -> phi_x, (B, D, h, w) at the level of composition."""
        places: Tensor = self.image(seen)
        return places if self.cfg.level == "map" else self.image.pool(places)[..., None, None]

    def absent(self, count: int) -> Tensor:
        """phi_x of as many pictures that are not there."""
        side = self.cfg.map_side
        return self.missing.expand(count, -1, side, side)

    def place(self, phi: Tensor) -> Tensor:
        """(B, D, h, w) -> (B, D) of length 1."""
        whole = self.image.pool(phi) if self.cfg.level == "map" else phi.flatten(1)
        return normalize(whole.float(), dim=1)

    def compose(self, phi: Tensor, text: TextFeatures) -> Tensor:
        """phi_x (B, D, h, w) and features -> phi_xt, (B, D) of length 1."""
        return self.place(self.composer(phi, text))


class Tirg(System):
    """Pictures and queries as points of one sphere, where a query's answers lie nearest."""

    tasks = frozenset({Task.SEARCH})

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg = cfg
        self.vocabulary = vocabulary
        self.trunk = Trunk()
        self.network = Network(cfg, vocabulary)

    @property
    def noise_dim(self) -> int:
        """None: nothing is drawn."""
        return 0

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        return self.network.text.read(captions)

    def prepare(self, image: Tensor) -> Prepared:
        """(B, 3, S, S) in [-1, 1] -> the picture with phi_x, (B, D, h, w)."""
        return Prepared(image, (self.network.see(self.trunk(image)),))

    def embed(self, prepared: Prepared) -> Tensor:
        return self.network.place(prepared.features[0])

    def compose(self, prepared: Prepared | None, text: TextFeatures) -> Tensor:
        phi = prepared.features[0] if prepared else self.network.absent(len(text.sentence))
        return self.network.compose(phi, text)


SYSTEM = Tirg  # what the registry serves


def _composer(cfg: Config) -> nn.Module:
    match cfg.composition:
        case "gated":
            return GatedResidual(cfg)
        case "concat":
            return Concatenation(cfg)
        case "image":
            return ImageOnly()
        case "text":
            return TextOnly()


def _layers(cfg: Config) -> nn.Sequential:
    """(B, 2 D, h, w) -> (B, D, h, w), by two convolutions, 3x3 on a map and 1x1 else."""
    width, kernel = 2 * cfg.embed_dim, 3 if cfg.level == "map" else 1
    return nn.Sequential(
        nn.BatchNorm2d(width),
        nn.Conv2d(width, width, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, cfg.embed_dim, kernel, padding=kernel // 2),
    )
