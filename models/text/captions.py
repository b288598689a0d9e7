"""The text encoder that a system's config asks for: by words, or by characters as published.

Shapes: B batch, T words, E word-vector width, D text width.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

from torch import Tensor, nn

from models.base import TextFeatures
from models.text.bigru import BiGRU
from models.text.char_cnn_rnn import CharCnnRnn
from models.text.files import read_reader, write_reader
from models.text.rows import word_rows
from models.text.vocabulary import PAD, Vocabulary

_KIND = "wordbrush-reader"  # of file


@dataclass(frozen=True)
class Reading:
    """How captions are read; the defaults are the published ones. Base of systems' configs."""

    reader: Literal["char-gru", "char-rnn", "words"] = "char-gru"
    text_dim: int = 1024  # D
    word_dim: int = 300  # E, of "words"
    max_words: int = 50  # T at most, of "words"; what comes later is not read

    @property
    def by_characters(self) -> bool:
        """Captions are spelt (models/text/char_cnn_rnn.py) and need no vocabulary."""
        return self.reader != "words"


class WordReader(nn.Module):
    """Word vectors and a bidirectional GRU over them, small enough to be trained with the rest."""

    def __init__(self, cfg: Reading, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.vocabulary, self.max_words = vocabulary, cfg.max_words
        self.embedding = nn.Embedding(len(vocabulary), cfg.word_dim, padding_idx=PAD)
        self.text = BiGRU(cfg.word_dim, cfg.text_dim)

    def forward(self, index: Tensor) -> TextFeatures:
        """(B, T) word indices, padded with PAD -> features of width D."""
        return self.text(self.embedding(index), index != PAD)

    def read(self, captions: Sequence[str]) -> TextFeatures:
        """Captions -> features, padded to the longest.

        Raises:
            EmptyCaption: a caption has no word.
        """
        index = word_rows(captions, self.vocabulary, self.max_words)
        return self(index.to(self.embedding.weight.device))


@dataclass(frozen=True)
class TrainedReader:
    """An encoder that was trained before the system that reads by it, with its words."""

    cfg: Reading
    vocabulary: Vocabulary  # without words where characters are read
    encoder: WordReader | CharCnnRnn

    def save(self, path: Path) -> None:
        """Write it to a file of its own; `load` reads it."""
        about = asdict(self.cfg) | {"words": self.vocabulary.words}
        write_reader(self.encoder, path, kind=_KIND, about=about)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote, in evaluation mode.

        Raises:
            BadReader: another file, or a damaged one.
        """
        about, state = read_reader(path, kind=_KIND, command="joint-embedding")
        vocabulary = Vocabulary(tuple(about.pop("words")))
        cfg = Reading(**about)
        encoder = reader(cfg, vocabulary)
        encoder.load_state_dict(state)
        return cls(cfg, vocabulary, encoder.eval())


def reader(cfg: Reading, vocabulary: Vocabulary) -> WordReader | CharCnnRnn:
    """The encoder; one that reads characters has no use for the vocabulary."""
    match cfg.reader:
        case "words":
            return WordReader(cfg, vocabulary)
        case "char-gru":
            return CharCnnRnn(cfg.text_dim, "gru")
        case "char-rnn":
            return CharCnnRnn(cfg.text_dim, "rnn")
