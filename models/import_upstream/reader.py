"""The authors' files as plain data; nothing in them is run.

Weights are torch pickles, many of them of 2018: the old format, byte-string keys of Python 2, a
`module.` prefix from data-parallel training, no counters of normalisation steps. Vocabularies are
pickles of lists and dictionaries. Word vectors are text, a word and its numbers a line.
"""

import pickle
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from models.text.vocabulary import FIRST_WORD, PAD, UNKNOWN, tokenize

State = Mapping[str, Tensor]

_PREFIX = "module."  # of networks that were trained on several GPUs
_WRAPPERS = ("netG", "state_dict")
_PLAIN = (list, dict, str, int)


class UnreadableFile(ValueError):
    """The file is not what its name says, or holds more than plain data."""


class WordVectors(NamedTuple):
    """Words in the order of their file, and a table with a row for each entry of a vocabulary."""

    words: tuple[str, ...]
    table: Tensor  # (padding, unknown and the words, E)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Entries by the authors' names, on the CPU, without a `module.` prefix.

    Raises:
        UnreadableFile: no torch file, or one that holds anything but tensors.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, LookupError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "it is cut short"
        raise UnreadableFile(f"{path.name} can't be read as weights: {reason}") from error
    entries = _unwrapped(content)
    state = {key: value for key, value in entries.items() if isinstance(value, Tensor)}
    if not state or len(state) < len(entries):
        raise UnreadableFile(f"{path.name} holds no weights; wanted a state dict, names to tensors")
    if all(key.startswith(_PREFIX) for key in state):
        return {key.removeprefix(_PREFIX): value for key, value in state.items()}
    return state


def _unwrapped(content: object) -> Mapping[str, object]:
    """What holds the tensors, out of a fork's `{"netG": ...}`; nothing where nothing does."""
    if not isinstance(content, Mapping):
        return {}
    name = next((name for name in _WRAPPERS if name in content), None)
    return content if name is None else _unwrapped(content[name])


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """The words of a `captions.pickle`, in the order of their index; the first ends a caption.

    Raises:
        UnreadableFile: no pickle, one that asks for code, or not laid out as AttnGAN's is.
    """
    try:
        with path.open("rb") as file:
            content = _PlainUnpickler(file, encoding="latin1").load()
    except (pickle.UnpicklingError, EOFError, ValueError, LookupError, AttributeError) as error:
        raise UnreadableFile(f"{path.name} can't be read as a vocabulary: {error}") from error
    if odd := _odd_type(content):
        raise UnreadableFile(f"{path.name} holds a {odd}; wanted lists, dicts, text and numbers")
    if not isinstance(content, list) or len(content) != 4 or not isinstance(content[2], dict):
        raise UnreadableFile(
            f"{path.name} is laid out otherwise; "
            "wanted a list of training captions, test captions, index to word, word to index"
        )
    by_index = content[2]
    if by_index.keys() != set(range(len(by_index))):
        raise UnreadableFile(f"{path.name} skips indices of words; wanted 0 to {len(by_index) - 1}")
    if not all(isinstance(word, str) for word in by_index.values()):
        raise UnreadableFile(f"{path.name} has a word that is no text")
    return tuple(by_index[i] for i in range(len(by_index)))


class _PlainUnpickler(pickle.Unpickler):
    """Builds containers, text and numbers; every class or function is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _odd_type(content: Any) -> str | None:
    """The name of the first type inside that is not plain."""
    rest = [content]
    while rest:
        value = rest.pop()
        if type(value) not in _PLAIN:
            return type(value).__name__
        if isinstance(value, dict):
            rest += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            rest += value
    return None


def read_vectors(path: Path, width: int, *, most: int = 30_000) -> WordVectors:
    """The first `most` words of a `.vec` file (fastText's or GloVe's; frequent words come first).

    What a caption is never split into, such as punctuation, is left out. Padding is zero, the
    unknown word the mean of all.

    Raises:
        UnreadableFile: not text, no word, or vectors of another width.
    """
    rows: dict[str, list[float]] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(islice(file, 4 * most), start=1):
                word, *numbers = line.rstrip().split(" ")
                if number == 1 and len(numbers) == 1:
                    continue  # fastText begins with the count and the width
                if len(numbers) != width:
                    raise UnreadableFile(
                        f"{path.name}, line {number}: {len(numbers)} numbers, wanted {width}"
                    )
                if tokenize(word) == [word] and len(rows) < most:
                    rows.setdefault(word, [float(n) for n in numbers])
    except ValueError as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile(f"{path.name} can't be read as word vectors: {error}") from error
    if not rows:
        raise UnreadableFile(f"{path.name} has no word vector")
    return WordVectors(tuple(rows), _table(list(rows.values())))


def _table(rows: Sequence[Sequence[float]]) -> Tensor:
    vectors = torch.tensor(rows)
    table = torch.empty(FIRST_WORD + len(rows), vectors.shape[1])
    table[PAD], table[UNKNOWN], table[FIRST_WORD:] = 0, vectors.mean(0), vectors
    return table
