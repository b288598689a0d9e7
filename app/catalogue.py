"""The checkpoints that the web process offers, read without torch."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from models.checkpoint import Checkpoint, Header, files, scan
from models.registry import Task
from models.text.vocabulary import UnknownWord, Vocabulary, tokenize


class UnknownModel(LookupError):
    """No checkpoint here has this id, or it can't do the task; `known` are those that would do."""

    def __init__(self, message: str, known: Iterable[str]) -> None:
        super().__init__(message)
        self.known = list(known)


@dataclass(frozen=True)
class _Shelf:
    """What the folders held when they were last read."""

    signature: tuple[tuple[Path, int], ...]  # files and when each was written, in nanoseconds
    checkpoints: Mapping[str, Checkpoint]
    headers: Mapping[str, Header]
    vocabularies: Mapping[str, Vocabulary]

    def unknown_words(self, caption: str, model: str) -> list[UnknownWord]:
        """As the catalogue's."""
        vocabulary = self.vocabularies.get(model)
        return vocabulary.unknown_words(caption) if vocabulary else []

    def find(self, model: str | None, task: Task | None = None) -> Header:
        """As the catalogue's."""
        headers = self.headers.values()
        able = {h.id: h for h in headers if task is None or task in h.spec.tasks}
        kind = f"model that can {task}" if task else "model"
        if not able:
            raise UnknownModel(f"there is no {kind} here", [])
        if (wanted := model or next(iter(able))) not in able:
            raise UnknownModel(f"there is no such {kind}, wanted one of: {', '.join(able)}", able)
        return able[wanted]


class Catalogue:
    """Headers by id, the first choice first, with their vocabularies ready to check captions.

    A checkpoint that is put into a folder, replaced or taken away is noticed at the next look.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        self._last = _read(self._folders)

    @property
    def _shelf(self) -> _Shelf:
        if _signature(self._folders) != self._last.signature:
            self._last = _read(self._folders, self._last.checkpoints.values())
        return self._last

    def __iter__(self) -> Iterator[Header]:
        return iter(self._shelf.headers.values())

    def __len__(self) -> int:
        return len(self._shelf.headers)

    def unknown_words(self, caption: str, model: str) -> list[UnknownWord]:
        """The words of `caption` that `model` never saw; none where the model is not here."""
        return self._shelf.unknown_words(caption, model)

    def other_model(self, caption: str, model: str) -> Header | None:
        """One of another domain, for the same tasks, that `caption` speaks to: it names the domain
        ("a blue bird"), or has words that `model` never saw and the other knows. None if there is
        none, or `caption` names the domain of `model`.
        """
        shelf, words = self._shelf, tokenize(caption)
        own = shelf.find(model)
        if _names(words, own.domain):
            return None
        others = [
            header
            for header in shelf.headers.values()
            if header.domain != own.domain and header.spec.tasks == own.spec.tasks
        ]
        fitting = [header for header in others if _names(words, header.domain)]
        if not fitting and shelf.unknown_words(caption, model):
            fitting = [one for one in others if _knows_all(shelf.vocabularies[one.id], caption)]
        return min(fitting, key=lambda header: header.system != own.system, default=None)

    def path(self, model: str) -> Path:
        """The file of a checkpoint that is here; its card and its sheet lie beside it."""
        return self._shelf.checkpoints[model].path

    def vocabulary(self, model: str) -> Vocabulary | None:
        """The words that `model` knows; None where the model is not here."""
        return self._shelf.vocabularies.get(model)

    def find(self, model: str | None, task: Task | None = None) -> Header:
        """The checkpoint called `model`, or the first choice where that is None.

        Raises:
            UnknownModel: there is none, or it can't do `task`.
        """
        return self._shelf.find(model, task)


def _read(folders: Iterable[Path], before: Iterable[Checkpoint] = ()) -> _Shelf:
    signature = _signature(folders)  # before they are read: a change meanwhile is seen next time
    checkpoints = scan(folders, before)
    return _Shelf(
        signature,
        checkpoints,
        {one.id: one.header for one in checkpoints.values()},
        {one.id: one.header.vocabulary for one in checkpoints.values()},
    )


def _names(words: Iterable[str], domain: str) -> bool:
    """Whether words hold a domain's name, also in the singular."""
    return not {domain, domain.removesuffix("s")}.isdisjoint(words)


def _knows_all(vocabulary: Vocabulary, caption: str) -> bool:
    """Of a system that reads words; one that reads characters says so of anything."""
    return bool(vocabulary.words) and not vocabulary.unknown_words(caption)


def _signature(folders: Iterable[Path]) -> tuple[tuple[Path, int], ...]:
    """Changes when a file does; one that goes away while this looks counts as gone."""
    found = []
    for path in files(folders):
        with suppress(FileNotFoundError):
            found.append((path, path.stat().st_mtime_ns))
    return tuple(found)
