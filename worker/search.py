"""Searches: which pictures of the library, and of those that the request names, lie nearest.

A library's pictures are looked at once: their vectors are kept in memory and in a file, by name and
by when the picture was written. A folder with many new pictures is taken in over several searches,
since each gives only some seconds to it.
Shapes: N pictures, D width of their vectors.
"""

import json
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Literal, Protocol
from weakref import WeakKeyDictionary

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.base import Prepared, System
from worker.cache import ByteCache
from worker.library import Library
from worker.messages import Candidate, Found, Match, Request
from worker.pictures import BadPicture, Photo, decode
from worker.store import NotStored

PATIENCE_S = 20.0  # that one search gives to pictures of the library that are new

_GIVEN_BYTES = 2**24  # of vectors of pictures that requests named
_SAME = 0.9999  # a picture this near to the query's own is that picture again

_log = logging.getLogger(__name__)

Place = Literal["library", "among"]


class Eyes(Protocol):
    """How pictures get to a network; the engine knows."""

    def photo(self, file_id: str) -> Photo:
        """A picture of the store.

        Raises:
            NotStored: it is gone.
        """

    def prepare(self, system: System, photo: Photo) -> Prepared:
        """The middle of a photo."""


@dataclass
class _Index:
    """What one system makes of the library, in memory and in `file`."""

    key: str  # another one for other weights and for another folder
    file: Path | None
    stamps: dict[str, int] = field(default_factory=dict)  # by name, nanoseconds
    vectors: dict[str, Tensor | None] = field(default_factory=dict)  # (D,); None: no picture

    def forget(self, names: Iterable[str]) -> None:
        for name in names:
            del self.stamps[name], self.vectors[name]

    def keep(self) -> None:
        """Write it down, if it has a file."""
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        known = {name: vector for name, vector in self.vectors.items() if vector is not None}
        about = {"names": json.dumps(list(known)), "stamps": json.dumps(self.stamps)}
        partial = self.file.with_suffix(f".{id(self)}.partial")
        save_file({"vectors": torch.stack(list(known.values()))} if known else {}, partial, about)
        partial.replace(self.file)

    @classmethod
    def read(cls, key: str, folder: Path | None) -> "_Index":
        """What was kept in `folder`; an empty one where there is none that can be read."""
        file = folder and folder / f"{key}.safetensors"
        if file is None or not file.exists():
            return cls(key, file)
        try:
            with safe_open(file, framework="pt") as stored:
                about = stored.metadata()
                names, stamps = json.loads(about["names"]), json.loads(about["stamps"])
                vectors = stored.get_tensor("vectors") if names else ()
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            _log.warning("the index %s is made anew: %s", file, error)
            return cls(key, file)
        return cls(
            key, file, stamps, dict.fromkeys(stamps) | dict(zip(names, vectors, strict=True))
        )


class Searcher:
    """Finds pictures for requests; for one thread."""

    def __init__(self, library: Library, folder: Path | None = None) -> None:
        """Indexes are kept in `folder`; without one, only in memory."""
        self._library = library
        self._folder = folder
        self._indexes: WeakKeyDictionary[System, _Index] = WeakKeyDictionary()
        self._given = ByteCache[Tensor](_GIVEN_BYTES, lambda vector: vector.nbytes)

    def search(
        self, system: System, request: Request, prepared: Prepared | None, eyes: Eyes
    ) -> Found:
        """What lies nearest to the picture changed as the caption says, or to one of the two.

        The query's own picture is left out, as in the paper's measurements.
        """
        own = system.embed(prepared)[0].cpu() if prepared else None
        if request.caption or own is None:
            text = system.encode_text([request.caption])
            query = system.compose(prepared, text)[0].cpu()
        else:
            query = own
        left = self.take_in(system, eyes)
        points = self._points(system, request, eyes)
        if not points:
            return Found(left=left)
        vectors = torch.stack(list(points.values()))
        scores = vectors @ query
        if own is not None:
            scores[vectors @ own > _SAME] = -torch.inf
        best = scores.argsort(descending=True, stable=True)[: request.limit].tolist()
        named = [(*name, score) for name, score in zip(points, scores.tolist(), strict=True)]
        matches = tuple(
            Match(place, name, round(score, 4))
            for place, name, score in (named[i] for i in best)
            if isfinite(score)
        )
        return Found(matches, searched=len(points), left=left)

    def take_in(self, system: System, eyes: Eyes) -> int:
        """Look at pictures of the library that are new or changed; how many are left for later."""
        index, pictures = self._index(system), self._library.pictures()
        written = {name: path.stat().st_mtime_ns for name, path in pictures.items()}
        new = [name for name, stamp in written.items() if index.stamps.get(name) != stamp]
        gone = set(index.stamps) - pictures.keys()
        index.forget(gone)
        deadline, taken = monotonic() + PATIENCE_S, 0
        for name in new:
            index.stamps[name] = written[name]
            index.vectors[name] = _vector(system, pictures[name], eyes)
            taken += 1
            if monotonic() > deadline:
                break
        if new or gone:
            index.keep()
        return len(new) - taken

    def _points(
        self, system: System, request: Request, eyes: Eyes
    ) -> dict[tuple[Place, str], Tensor]:
        """Where the library's and the request's own pictures lie, (D,) each."""
        index = self._index(system)
        points: dict[tuple[Place, str], Tensor] = {
            ("library", name): vector
            for name, vector in index.vectors.items()
            if vector is not None
        }
        for one in request.among:
            with suppress(NotStored):  # its time is over since it was named
                make = partial(self._look, system, one, eyes)
                points["among", one.name] = self._given.get((index.key, one.file_id), make)
        return points

    def _look(self, system: System, one: Candidate, eyes: Eyes) -> Tensor:
        return system.embed(eyes.prepare(system, eyes.photo(one.file_id)))[0].cpu()

    def _index(self, system: System) -> _Index:
        if system not in self._indexes:
            self._indexes[system] = _Index.read(self._key(system), self._folder)
        return self._indexes[system]

    def _key(self, system: System) -> str:
        digest = sha256(str(self._library.folder).encode())
        for tensor in system.state_dict().values():
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]


def _vector(system: System, path: Path, eyes: Eyes) -> Tensor | None:
    """(D,), or None for a file that is no picture, which is logged and not tried again."""
    try:
        photo = decode(path.read_bytes())
    except (BadPicture, OSError) as error:
        _log.warning("%s is left out of the library: %s", path, error)
        return None
    return system.embed(eyes.prepare(system, photo))[0].cpu()
