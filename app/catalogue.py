"""The checkpoints that the web process offers, read once at its start and without torch."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from models.checkpoint import SUFFIX, BadCheckpoint, Checkpoint, Header, read_header
from models.registry import Task
from models.text.vocabulary import UnknownWord

_PREFERRED_DOMAIN = "flowers"

_log = logging.getLogger(__name__)


class UnknownModel(LookupError):
    """No checkpoint here has this id, or it can't do the task; `known` are those that would do."""

    def __init__(self, message: str, known: Iterable[str]) -> None:
        super().__init__(message)
        self.known = list(known)


class Catalogue:
    """Headers by id, the first choice first, with their vocabularies ready to check captions."""

    def __init__(self, checkpoints: Iterable[Checkpoint]) -> None:
        headers = (checkpoint.header for checkpoint in checkpoints)
        ordered = sorted(headers, key=lambda h: (h.domain != _PREFERRED_DOMAIN, h.id))
        self._headers = {header.id: header for header in ordered}
        self._vocabularies = {header.id: header.vocabulary for header in ordered}

    @classmethod
    def read(cls, folders: Iterable[Path]) -> Self:
        """The checkpoints in `folders`; of two with one id that of the earlier folder counts.

        A file that cannot be read as one is passed over, as the worker does, and logged.
        """
        found: dict[str, Checkpoint] = {}
        for path in (path for folder in folders for path in sorted(folder.glob(f"*{SUFFIX}"))):
            try:
                checkpoint = Checkpoint(path, read_header(path))
            except (BadCheckpoint, OSError) as error:
                _log.warning("passed over: %s", error)
                continue
            found.setdefault(checkpoint.id, checkpoint)
        return cls(found.values())

    def __iter__(self) -> Iterator[Header]:
        return iter(self._headers.values())

    def __len__(self) -> int:
        return len(self._headers)

    def unknown_words(self, caption: str, model: str) -> list[UnknownWord]:
        """The words of `caption` that `model` never saw; none where the model is not here."""
        vocabulary = self._vocabularies.get(model)
        return vocabulary.unknown_words(caption) if vocabulary else []

    def find(self, model: str | None, task: Task | None = None) -> Header:
        """The checkpoint called `model`, or the first choice where that is None.

        Raises:
            UnknownModel: there is none, or it can't do `task`.
        """
        able = {h.id: h for h in self if task is None or task in h.spec.tasks}
        kind = f"model that can {task}" if task else "model"
        if not able:
            raise UnknownModel(f"there is no {kind} here", [])
        if (wanted := model or next(iter(able))) not in able:
            raise UnknownModel(f"there is no such {kind}, wanted one of: {', '.join(able)}", able)
        return able[wanted]
