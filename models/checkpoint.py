"""What a checkpoint says of itself. Free of torch: the web process lists checkpoints with it.

A checkpoint is one safetensors file: an 8-byte little-endian length, a JSON header whose
`__metadata__` holds our fields, then the tensors (models/weights.py reads and writes those).
Its card, `<id>.md`, and its sample sheet, `<id>.webp`, lie beside it.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from os import SEEK_END
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from models.registry import SYSTEMS, Spec, Task, UnknownSystem, find
from models.text.vocabulary import Vocabulary

FORMAT = "wordbrush-1"
SUFFIX = ".safetensors"
_PREFERRED_DOMAIN = "flowers"
_MAX_HEADER_BYTES = 16 * 2**20

_log = logging.getLogger(__name__)


class BadCheckpoint(ValueError):
    """The file is not a checkpoint of this format."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Header:
    """Everything a checkpoint says without its tensors."""

    system: str
    domain: str  # flowers, birds, clothes, or a person's own
    image_size: int  # pixels a side
    config: Mapping[str, Any]  # arguments of the system's Config
    words: tuple[str, ...]
    steps: int = 0  # optimiser steps taken
    pictures: int = 0  # training pictures seen
    metrics: Mapping[str, float] = field(default_factory=dict)
    examples: tuple[str, ...] = ()  # captions to offer in the form
    licence: str = "research use"
    data: str = ""  # what it was trained on, in words
    published: bool = False  # the paper's own weights: trained, though nobody says for how long

    @property
    def id(self) -> str:
        """What the API calls `model`, such as tagan-flowers-64."""
        return f"{self.system.replace('_', '-')}-{self.domain}-{self.image_size}"

    @property
    def trained(self) -> bool:
        """False: random weights, for trying out the house."""
        return self.published or self.steps > 0

    @property
    def spec(self) -> Spec:
        return find(self.system)

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.words)

    def to_metadata(self) -> dict[str, str]:
        """Fields as safetensors metadata: text to text."""
        fields = asdict(self) | {"format": FORMAT, "vocabulary_hash": self.vocabulary.digest}
        return {"wordbrush": json.dumps(fields)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], origin: str) -> "Header":
        """The header in a file's metadata.

        Raises:
            BadCheckpoint: no Wordbrush fields, another format, fields that are not as they should
                be (of another version, perhaps), an unknown system, or a changed vocabulary.
        """
        if "wordbrush" not in metadata:
            raise BadCheckpoint(f"{origin} is a safetensors file but no Wordbrush checkpoint")
        try:
            fields = dict(json.loads(metadata["wordbrush"]))
        except (ValueError, TypeError) as error:
            raise BadCheckpoint(f"the fields of {origin} can't be read: {error}") from error
        if (found := fields.pop("format", None)) != FORMAT:
            raise BadCheckpoint(f"{origin} has format {found!r}, wanted {FORMAT!r}")
        digest = fields.pop("vocabulary_hash", None)
        try:
            header = _HEADERS.validate_python(fields)
            find(header.system)
        except (ValidationError, UnknownSystem) as error:
            raise BadCheckpoint(f"{origin} does not fit this version: {_first(error)}") from error
        if header.vocabulary.digest != digest:
            raise BadCheckpoint(f"the vocabulary in {origin} is not the one it was saved with")
        return header


_HEADERS = TypeAdapter(Header)  # made once: it takes longer than a header


def _first(error: ValidationError | UnknownSystem) -> str:
    """What is wrong, in one line."""
    if isinstance(error, UnknownSystem):
        return str(error)
    wrong = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"


def read_header(path: Path) -> Header:
    """The header of the checkpoint at `path`, without its tensors.

    Raises:
        BadCheckpoint: the file is cut short (or is still being copied), is not safetensors, or is
            not ours.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= _MAX_HEADER_BYTES:
            raise BadCheckpoint(f"{path} is not a safetensors file")
        raw = file.read(size)
        found_bytes = file.seek(0, SEEK_END)
    try:
        entries = json.loads(raw)
        metadata = entries.pop("__metadata__")
        ends = [entry["data_offsets"][1] for entry in entries.values()]
        wanted_bytes = 8 + size + max(ends, default=0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadCheckpoint(f"{path} is not a safetensors file with metadata") from error
    if found_bytes < wanted_bytes:
        raise BadCheckpoint(f"{path} has {found_bytes:,} bytes of {wanted_bytes:,}")
    return Header.from_metadata(metadata, str(path))


@dataclass(frozen=True)
class Checkpoint:
    """A file and what it says of itself."""

    path: Path
    header: Header

    @property
    def id(self) -> str:
        return self.header.id


def scan(folders: Iterable[Path], before: Iterable[Checkpoint] = ()) -> dict[str, Checkpoint]:
    """Readable checkpoints by id, the first choice first; of two with one id that of the earlier
    folder counts.

    A file that cannot be read as one is passed over and logged, so that it costs no other; one that
    could be read when it was looked at `before` counts as it was, since another is being copied
    over it.
    """
    earlier = {checkpoint.path: checkpoint for checkpoint in before}
    found: dict[str, Checkpoint] = {}
    for path in files(folders):
        try:
            checkpoint = Checkpoint(path, read_header(path))
        except (BadCheckpoint, OSError) as error:
            _log.warning("passed over: %s", error)
            if path not in earlier or not path.exists():
                continue
            checkpoint = earlier[path]
        found.setdefault(checkpoint.id, checkpoint)
    return {one.id: one for one in sorted(found.values(), key=lambda one: _rank(one.header))}


def _rank(header: Header) -> tuple[bool, int, int, str]:
    """Sorts the first choice first: by domain, as the registry lists systems, by size. A drawing is
    as large as its network, so the largest comes first; edits are carried to the photo's own
    pixels, so there the fastest does.
    """
    system, draws = list(SYSTEMS).index(header.system), Task.GENERATE in header.spec.tasks
    size = -header.image_size if draws else header.image_size
    return header.domain != _PREFERRED_DOMAIN, system, size, header.id


def files(folders: Iterable[Path]) -> list[Path]:
    """What may be a checkpoint, in the order of folders and names."""
    return [path for folder in folders for path in sorted(folder.glob(f"*{SUFFIX}"))]
