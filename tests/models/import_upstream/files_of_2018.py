"""Files as the authors' Python 2 and torch 0.3 wrote them."""

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

_Pickler: Any = pickle._Pickler  # the one in Python, to be changed


class _Python2Pickler(_Pickler):  # type: ignore[misc]  # as above
    """Text goes out as byte strings, tensors by the function that torch had before 0.4."""

    dispatch = _Pickler.dispatch.copy()

    def save_str(self, text: str) -> None:
        data = text.encode("latin1")
        if len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        else:
            self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)
        self.memoize(text)

    dispatch[str] = save_str

    def reducer_override(self, value: object) -> Any:
        if isinstance(value, Tensor):
            place = (value._typed_storage(), value.storage_offset(), value.shape, value.stride())
            return torch._utils._rebuild_tensor, place
        return NotImplemented


def save_weights(state: Mapping[str, Tensor], path: Path, prefix: str = "") -> None:
    """The old torch format: four pickles of Python 2, then the numbers."""
    renamed = OrderedDict((prefix + key, value.contiguous()) for key, value in state.items())
    module = SimpleNamespace(__name__="pickle", Pickler=_Python2Pickler, dump=_dump)
    torch.save(renamed, path, module, 2, _use_new_zipfile_serialization=False)


def save_vocabulary(words: tuple[str, ...], path: Path) -> None:
    """AttnGAN's `captions.pickle`: captions by index, and the two dictionaries."""
    by_index = dict(enumerate(words))
    by_word = {word: i for i, word in by_index.items()}
    captions = [[[1, 2], [2, 1]], [[1, 1]]]
    with path.open("wb") as file:
        _dump([*captions, by_index, by_word], file, 2)


def save_vectors(vectors: Mapping[str, Tensor], path: Path) -> None:
    """fastText's text format: count and width, then a word and its numbers a line."""
    width = len(next(iter(vectors.values())))
    lines = [f"{word} {' '.join(map(repr, v.tolist()))}" for word, v in vectors.items()]
    path.write_text("\n".join([f"{len(vectors)} {width}", *lines]) + "\n", encoding="utf-8")


def _dump(value: object, file: io.BufferedIOBase, protocol: int) -> None:
    _Python2Pickler(file, protocol).dump(value)
