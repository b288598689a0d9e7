"""VSE: captions and pictures in one space, where what belongs together lies close.

Source: Kiros, Salakhutdinov and Zemel, "Unifying Visual-Semantic Embeddings with Multimodal Neural
Language Models", arXiv:1411.2539; as SISGAN's text encoder: Dong et al., ICCV 2017,
arXiv:1707.06873, section 3. Its ranking loss, eq. 4: training/vse.py.
Not from the paper: pictures are seen by a frozen EfficientNet-Lite0, where the paper has VGG16.
Shapes: B batch, T words, E word-vector width, D text width, S image side in pixels.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.base import TextFeatures
from models.lite import Lite
from models.text.files import read_reader, write_reader
from models.text.rows import word_rows
from models.text.vocabulary import PAD, Vocabulary

_KIND = "wordbrush-vse"  # of file


@dataclass(frozen=True)
class Reading:
    """How captions are read; the defaults are the published ones."""

    word_dim: int = 300  # E
    text_dim: int = 300  # D
    max_words: int = 50  # T at most; what comes later is not read


class SentenceReader(nn.Module):
    """Word vectors and a GRU over them; the state after the last word is the sentence."""

    def __init__(self, cfg: Reading, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg, self.vocabulary = cfg, vocabulary
        self.embedding = nn.Embedding(len(vocabulary), cfg.word_dim, padding_idx=PAD)
        self.rnn = nn.GRU(cfg.word_dim, cfg.text_dim, batch_first=True)

    def forward(self, index: Tensor) -> TextFeatures:
        """(B, T) word indices, padding last -> features of width D, zero at padding."""
        mask = index != PAD
        with torch.autocast(index.device.type, enabled=False):
            packed = pack_padded_sequence(
                self.embedding(index), mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
            )
            hidden, last = self.rnn(packed)
            words, _ = pad_packed_sequence(hidden, batch_first=True, total_length=index.shape[1])
        return TextFeatures(words, last[0], mask)

    def read(self, captions: Sequence[str]) -> TextFeatures:
        """Captions -> features, padded to the longest.

        Raises:
            EmptyCaption: a caption has no word.
        """
        index = word_rows(captions, self.vocabulary, self.cfg.max_words)
        return self(index.to(self.embedding.weight.device))

    def save(self, path: Path) -> None:
        """Write weights and words; `load` reads them."""
        about = asdict(self.cfg) | {"words": self.vocabulary.words}
        write_reader(self, path, kind=_KIND, about=about)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote, in evaluation mode.

        Raises:
            BadReader: another file, or a damaged one.
        """
        about, state = read_reader(path, kind=_KIND, command="vse")
        vocabulary = Vocabulary(tuple(about.pop("words")))
        reader = cls(Reading(**about), vocabulary)
        reader.load_state_dict(state)
        return reader.eval()


class VisualSemanticEmbedding(nn.Module):
    """The reader beside a projection of what a frozen network sees."""

    def __init__(self, cfg: Reading, vocabulary: Vocabulary, eyes: Lite) -> None:
        super().__init__()
        self.text = SentenceReader(cfg, vocabulary)
        self.eyes = eyes
        self.project = nn.Linear(eyes.cfg.tap_channels[-1], cfg.text_dim, bias=False)

    def see(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, D) of length 1."""
        with torch.no_grad():
            seen = self.eyes.features(image)[-1].mean((2, 3))
        return normalize(self.project(seen).float(), dim=1)

    def read(self, index: Tensor) -> Tensor:
        """(B, T) word indices -> (B, D) of length 1."""
        return normalize(self.text(index).sentence, dim=1)
