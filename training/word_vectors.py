"""Word vectors that others trained (GloVe, fastText, MiniLM), for a system's own to start from.

The format is GloVe's and fastText's text: a word and its numbers a line; fastText's first line is
the count and the width. A file of many gigabytes is read line by line, and only its words that a
vocabulary has are kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import torch
from torch import Tensor, nn

from models.text.vocabulary import FIRST_WORD, UNKNOWN, Vocabulary


class BadVectors(ValueError):
    """The file holds no word vectors, or none for these words."""


@dataclass(frozen=True)
class WordVectors:
    """Rows of an embedding table to start from."""

    rows: Tensor  # (N,) indices, the unknown word's among them
    values: Tensor  # (N, E)

    @torch.no_grad()
    def fill(self, embedding: nn.Embedding) -> None:
        """Overwrite those rows; the rest stay as they are drawn."""
        embedding.weight[self.rows] = self.values.to(embedding.weight)


def vector_width(path: Path) -> int:
    """E, as the file's beginning has it.

    Raises:
        BadVectors: it does not begin like word vectors.
    """
    with path.open(encoding="utf-8") as file:
        return _width(_lines(file, path), path)


def read_word_vectors(path: Path, vocabulary: Vocabulary) -> WordVectors:
    """The vectors of the vocabulary's words; the unknown word begins as their mean.

    Raises:
        BadVectors: a line is cut short or no vector, or no word of the vocabulary is there.
    """
    width = vector_width(path)
    found: dict[str, list[float]] = {}
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(_lines(file, path), start=1):
            if line.partition(" ")[0] not in vocabulary:
                continue
            word, *numbers = line.rstrip().rsplit(" ", width)  # GloVe has words with spaces
            if word not in vocabulary or word in found:
                continue
            try:
                found[word] = [float(text) for text in numbers]
            except ValueError as error:
                raise BadVectors(f"{path.name}, line {number}: {error}") from error
            if len(numbers) != width:
                has = f"{len(numbers)} numbers"
                raise BadVectors(f"{path.name}, line {number}: {has}, wanted {width}")
    if not found:
        raise BadVectors(f"{path.name} has none of the {len(vocabulary.words)} words")
    values = torch.tensor(list(found.values()))
    if not values.isfinite().all():
        raise BadVectors(f"{path.name} has a vector that is not finite")
    places = {word: place for place, word in enumerate(vocabulary.words, start=FIRST_WORD)}
    rows = torch.tensor([UNKNOWN, *(places[word] for word in found)])
    return WordVectors(rows, torch.cat([values.mean(0, keepdim=True), values]))


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    try:
        yield from file
    except UnicodeDecodeError as error:
        raise BadVectors(f"{path.name} is no text; wanted a word and its numbers a line") from error


def _width(lines: Iterator[str], path: Path) -> int:
    first = next(lines, "").split()
    if len(first) == 2 and all(text.isdigit() for text in first):
        return int(first[1])  # fastText's first line
    try:
        width = len([float(text) for text in first[1:]])
    except ValueError:
        width = 0
    if not width:
        wanted = "wanted a word and its numbers a line, as in GloVe's files"
        raise BadVectors(f"{path.name} holds no word vectors; {wanted}")
    return width
