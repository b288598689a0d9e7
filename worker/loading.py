"""Checkpoints from folders into memory, each loaded once and kept while there is room."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch

from models import weights
from models.base import System
from models.checkpoint import BadCheckpoint, Checkpoint, files, scan
from models.fuse import fuse

Load = Callable[[Path, torch.device], System]

_log = logging.getLogger(__name__)


class UnknownModel(LookupError):
    """No folder has a checkpoint with this id."""


class NoDevice(RuntimeError):
    """There is no such device to run networks on."""


def load_for_serving(path: Path, device: torch.device) -> System:
    """The system in a checkpoint, rewritten to run fast.

    Raises:
        BadCheckpoint: the file is not ours, is damaged, or does not fit its system.
    """
    return fuse(weights.load(path, device)).eval()


def choose_device(name: str) -> torch.device:
    """The device called `name`; "auto" is the first GPU, else the CPU.

    Raises:
        NoDevice: torch knows none of that name, or this machine has none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        why = str(error).splitlines()[0]
        raise NoDevice(f"no device {name!r} here, wanted auto, cpu or cuda: {why}") from error
    return device


@dataclass(frozen=True)
class _Version:
    """A file as it was when it was read; a replaced one is another."""

    path: Path
    inode: int
    written_ns: int
    size: int

    @classmethod
    def of(cls, path: Path) -> "_Version | None":
        """None where there is no file."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        return cls(path, found.st_ino, found.st_mtime_ns, found.st_size)


@dataclass(frozen=True)
class _Resident:
    """A model in memory."""

    system: System
    version: _Version
    bytes: int


class ModelPool:
    """The systems that this worker serves, those in memory that were asked for last.

    The folders are looked at with each request: a file that appears is found, one that is replaced
    is loaded anew, one that is taken away is dropped, at the latest by `drop_absent`.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        device: torch.device,
        load: Load = load_for_serving,
        on_load: Callable[[str, float], None] = lambda model_id, seconds: None,
        *,
        only: Collection[str] | None = None,
        max_bytes: int | None = None,
    ) -> None:
        """`on_load` is told each model that was loaded, and how many seconds that took. `only`
        these models are served, if it names any, the first choice first; they take at most
        `max_bytes` of memory, besides the one that is asked for.
        """
        self.device = device
        self._on_load = on_load
        self._folders = folders
        self._load = load
        self._only = only
        self._max_bytes = max_bytes
        self._last_look: tuple[object, dict[str, Checkpoint]] = (None, {})
        self._resident: OrderedDict[str, _Resident] = OrderedDict()

    @property
    def resident(self) -> tuple[str, ...]:
        """Ids of the models in memory."""
        return tuple(self._resident)

    @property
    def served(self) -> tuple[str, ...]:
        """Ids of the models that the folders have for us."""
        return tuple(self._found())

    @property
    def bytes(self) -> int:
        """What their tensors take."""
        return sum(one.bytes for one in list(self._resident.values()))

    def get(self, model_id: str) -> System:
        """The system with this id, loaded if need be; its weights are plain tensors even where
        inference mode is on, since some systems need gradients to look at a picture.

        Raises:
            UnknownModel: no folder has it.
            BadCheckpoint: its file is damaged or does not fit its system.
        """
        kept = self._resident.get(model_id)
        if kept is None or _Version.of(kept.version.path) != kept.version:
            self._renew(model_id, kept)
        self._resident.move_to_end(model_id)
        self._make_room()
        return self._resident[model_id].system

    def drop_absent(self) -> None:
        """Free models whose files were taken away, since nobody may ask for them again; for the
        thread that asks.
        """
        for model_id, kept in tuple(self._resident.items()):
            if not kept.version.path.exists():
                del self._resident[model_id]
                _log.info("%s is dropped from memory: its file was taken away", model_id)

    def version(self, model_id: str) -> Hashable:
        """Differs between a model in memory and what it was before its file was replaced."""
        return self._resident[model_id].version

    def warm(self) -> None:
        """Load all there are, as far as there is room, the first choice first, and one at least;
        one that can't be loaded is left out and named in the log.
        """
        for model_id, checkpoint in self._found().items():
            if not self._has_room_beside(checkpoint.path) or not self._warm_one(model_id):
                _log.warning("%s is loaded when it is asked for: there is no room", model_id)

    def _warm_one(self, model_id: str) -> bool:
        """False where it is not kept, since those that come before it leave no room: only once it
        is loaded it is known what it takes.
        """
        try:
            self._renew(model_id, None)
        except (UnknownModel, BadCheckpoint) as error:
            _log.error("%s is not served: %s", model_id, error)
            return True
        if len(self._resident) > 1 and self._is_over(self.bytes):
            self._drop(model_id)
            return False
        return True

    def _has_room_beside(self, path: Path) -> bool:
        """Whether there will be room for a file, if it grows as those did that are in memory."""
        read = sum(one.version.size for one in self._resident.values())
        size = path.stat().st_size
        return not read or not self._is_over(round(self.bytes * (1 + size / read)))

    def _renew(self, model_id: str, kept: _Resident | None) -> None:
        """Load what the folders have now; a file that can't be read replaces nothing, since it may
        be one that is still being written.
        """
        try:
            self._resident[model_id] = self._read(model_id)
        except (UnknownModel, BadCheckpoint) as error:
            if kept is None or not kept.version.path.exists():
                self._resident.pop(model_id, None)
                raise
            _log.warning("%s goes on as it was: %s", model_id, error)

    def _read(self, model_id: str) -> _Resident:
        path, started = self._find(model_id).path, perf_counter()
        version = _Version.of(path)  # before it is read: a change meanwhile is seen the next time
        if version is None:
            raise UnknownModel(f"{path} was taken away")
        with torch.inference_mode(False):
            system = self._load(path, self.device)
        self._on_load(model_id, perf_counter() - started)
        return _Resident(system, version, _bytes_of(system))

    def _make_room(self) -> None:
        """Drop what was asked for longest ago, until the rest fits."""
        while len(self._resident) > 1 and self._is_over(self.bytes):
            self._drop(next(iter(self._resident)))

    def _drop(self, model_id: str) -> None:
        dropped = self._resident.pop(model_id)
        _log.info("%s is dropped from memory, %d MB", model_id, dropped.bytes // 2**20)
        del dropped
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _is_over(self, size: int) -> bool:
        return self._max_bytes is not None and size > self._max_bytes

    def _find(self, model_id: str) -> Checkpoint:
        found = self._found()
        if model_id not in found:
            known = ", ".join(found) or "none"
            raise UnknownModel(
                f"no worker here serves {model_id!r}; the last one asked has: {known}"
            )
        return found[model_id]

    def _found(self) -> dict[str, Checkpoint]:
        """Our checkpoints in the folders, read again when a file there is another."""
        versions = tuple(_Version.of(path) for path in files(self._folders))
        if versions != self._last_look[0]:
            found = scan(self._folders, self._last_look[1].values())
            ours = found if self._only is None else dict.fromkeys(self._only)
            self._last_look = versions, {k: found[k] for k in ours if k in found}
        return self._last_look[1]


def _bytes_of(system: System) -> int:
    """Of its tensors; those that share memory count once."""
    storages = [tensor.untyped_storage() for tensor in (*system.parameters(), *system.buffers())]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())
