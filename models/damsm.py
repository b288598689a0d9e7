"""DAMSM: how well pictures and captions go together, word by word and as a whole.

Source: Xu et al., "AttnGAN", CVPR 2018, arXiv:1711.10485, section 3.2, eq. 6 to 14.
Not from the paper: `image_encoder="lite0"` looks through a frozen EfficientNet-Lite0, whose weights
are at hand. As in the authors' code, eq. 10 has no exponent 1/gamma_2, losses are means over the
batch, and captions of pictures of one class do not count as mismatching.
Shapes: B batch, N captions, T words, D text width, C channels, L regions (h times w),
S image side in pixels.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, cross_entropy, interpolate

from models.base import TextFeatures
from models.checkpoint import BadCheckpoint
from models.inception import Inception
from models.lite import load_lite
from models.text.bilstm import BiLSTM
from models.text.vocabulary import Vocabulary

_METADATA = "wordbrush-damsm-1"
_EPS = 1e-8  # as in the authors' code, where a padded word's vector is 0


@dataclass(frozen=True)
class Config:
    """Network sizes; the defaults are those published for birds."""

    word_dim: int = 300  # of the text encoder's word vectors
    text_dim: int = 256  # D
    max_words: int = 18  # T at most; what comes later is not read
    image_encoder: Literal["inception", "lite0"] = "inception"
    align_corners: bool = True  # of the resize; as in the torch that published weights are of


class Gammas(NamedTuple):
    """The published factors."""

    attention: float = 5.0  # gamma_1: how far a word looks at its own regions only
    relevance: float = 5.0  # gamma_2: how far the best words decide
    batch: float = 10.0  # gamma_3: how far the best caption decides


BIRDS = Gammas(attention=4.0)  # with which the authors trained


class ImageFeatures(NamedTuple):
    """Pictures in the words' space."""

    regions: Tensor  # (B, D, h, w), v of eq. 6
    whole: Tensor  # (B, D), v-bar of eq. 6


class LiteTrunk(nn.Module):
    """EfficientNet-Lite0's three deeper maps, brought to one side."""

    side = 128

    def __init__(self) -> None:
        super().__init__()
        self.network = load_lite("lite0")
        self.local_width = self.pooled_width = sum(self.network.cfg.tap_channels[1:])

    def maps(self, image: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, 128, 128) in [-1, 1] -> the network's four maps."""
        return self.network.features(image)

    def join(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """The four maps -> regions (B, C, 8, 8), pooled features (B, C)."""
        _, fine, middle, coarse = maps
        size = middle.shape[2:]
        local = torch.cat(
            [interpolate(fine, size, mode="area"), middle, interpolate(coarse, size)], dim=1
        )
        return local, local.mean((2, 3))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, 128, 128) in [-1, 1] -> regions (B, C, 8, 8), pooled features (B, C)."""
        return self.join(self.maps(image))


class ImageEncoder(nn.Module):
    """A frozen trunk and two layers of our own into the words' space (eq. 6)."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.align_corners = cfg.align_corners
        self.trunk: Inception | LiteTrunk
        self.trunk = Inception() if cfg.image_encoder == "inception" else LiteTrunk()
        self.to_regions = nn.Conv2d(self.trunk.local_width, cfg.text_dim, 1, bias=False)
        self.to_whole = nn.Linear(self.trunk.pooled_width, cfg.text_dim)
        for layer in (self.to_regions, self.to_whole):
            nn.init.uniform_(layer.weight, -0.1, 0.1)  # as in the authors' code

    def resized(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) -> the size that the trunk takes; S may be any number."""
        side = (self.trunk.side, self.trunk.side)
        return interpolate(image, side, mode="bilinear", align_corners=self.align_corners)

    def project(self, local: Tensor, pooled: Tensor) -> ImageFeatures:
        """What the trunk gave -> features of width D."""
        return ImageFeatures(self.to_regions(local).float(), self.to_whole(pooled).float())

    def forward(self, image: Tensor) -> ImageFeatures:
        """(B, 3, S, S) in [-1, 1] -> features of width D."""
        return self.project(*self.trunk(self.resized(image)))


class Damsm(nn.Module):
    """Both encoders, with the words that they know."""

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg = cfg
        self.vocabulary = vocabulary
        self.text = BiLSTM(len(vocabulary), cfg.word_dim, cfg.text_dim)
        self.image = ImageEncoder(cfg)

    def trained_parameters(self) -> list[nn.Parameter]:
        """All but the frozen trunk's."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]


class Losses(NamedTuple):
    """Eq. 12 and 13, for words and for sentences."""

    caption_by_words: Tensor  # L_1^w, which caption is the picture's
    image_by_words: Tensor  # L_2^w, which picture is the caption's
    caption_by_sentence: Tensor  # L_1^s
    image_by_sentence: Tensor  # L_2^s

    def total(self) -> Tensor:
        return torch.stack(tuple(self)).sum()  # eq. 14


def word_attention(regions: Tensor, text: TextFeatures, gamma: float) -> Tensor:
    """(B, D, h, w) and N captions -> where each word looks, (B, N, T, L), sum 1 over regions."""
    similarity = torch.einsum("ntd,bdl->bntl", text.words, regions.flatten(2))  # eq. 7
    similarity = similarity.masked_fill(~text.mask[..., None], -torch.inf).softmax(2)  # eq. 8
    return (gamma * similarity).softmax(3)  # alpha of eq. 9


def word_scores(regions: Tensor, text: TextFeatures, gammas: Gammas) -> Tensor:
    """(B, D, h, w) and N captions -> R(Q, D) of every pair, (B, N)."""
    alpha = word_attention(regions, text, gammas.attention)
    context = torch.einsum("bntl,bdl->bntd", alpha, regions.flatten(2))  # eq. 9
    relevance = _cosines(context, text.words)
    magnified = (gammas.relevance * relevance).masked_fill(~text.mask, -torch.inf)
    return magnified.logsumexp(-1)  # eq. 10


def _cosines(context: Tensor, words: Tensor) -> Tensor:
    """(B, N, T, D), (N, T, D) -> (B, N, T), with no other array of the first one's size."""
    lengths = context.norm(dim=-1) * words.norm(dim=-1)
    return torch.einsum("bntd,ntd->bnt", context, words) / lengths.clamp(min=_EPS)


def sentence_scores(whole: Tensor, text: TextFeatures) -> Tensor:
    """(B, D) and N captions -> their cosine, (B, N)."""
    return cosine_similarity(whole[:, None], text.sentence[None], dim=-1)


def damsm_losses(
    image: ImageFeatures, text: TextFeatures, labels: Tensor, gammas: Gammas
) -> Losses:
    """Pictures, each with its own caption in the same row, and their classes (B,) -> eq. 12, 13."""
    with torch.autocast(labels.device.type, enabled=False):
        by_words = _both_ways(word_scores(image.regions, text, gammas), labels, gammas)
        by_sentence = _both_ways(sentence_scores(image.whole, text), labels, gammas)
    return Losses(*by_words, *by_sentence)


def _both_ways(scores: Tensor, labels: Tensor, gammas: Gammas) -> tuple[Tensor, Tensor]:
    """-log P(D|Q) and -log P(Q|D) (eq. 11), without mismatches of the same class."""
    own = torch.arange(len(labels), device=labels.device)
    alike = (labels[:, None] == labels) & (own[:, None] != own)
    logits = (gammas.batch * scores).masked_fill(alike, -torch.inf)
    return cross_entropy(logits, own), cross_entropy(logits.T, own)


def save_damsm(damsm: Damsm, path: Path) -> None:
    """Write both encoders, with config and vocabulary, as one safetensors file."""
    fields = {"config": asdict(damsm.cfg), "words": damsm.vocabulary.words}
    state = {key: value.contiguous() for key, value in damsm.state_dict().items()}
    partial = path.with_suffix(".partial")
    save_file(state, partial, {_METADATA: json.dumps(fields)})
    partial.replace(path)


def load_damsm(path: Path) -> Damsm:
    """The encoders in a file of `save_damsm`, frozen, in evaluation mode.

    Raises:
        BadCheckpoint: no such file, or its tensors are not those of its config.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, FileNotFoundError) as error:
        raise BadCheckpoint(f"{path} is no safetensors file: {error}") from error
    if _METADATA not in metadata:
        raise BadCheckpoint(f"{path} holds no DAMSM; `python -m training damsm` writes one")
    fields = json.loads(metadata[_METADATA])
    damsm = Damsm(Config(**fields["config"]), Vocabulary(tuple(fields["words"])))
    try:
        damsm.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise BadCheckpoint(f"{path} does not fit its config: {error}") from error
    return damsm.eval().requires_grad_(False)
