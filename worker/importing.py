"""Published weights into a checkpoint of one's own, by a process beside the worker's.

The authors' files are large and of others: reading them takes memory and time, so it is done by
`python -m models.import_upstream`, while this worker goes on serving people. The checkpoint appears
in its folder when it is whole, and never in the place of another.

An import may be begun again at any time: its worker was killed, or the queue server was away for
so long that it was taken for dead. So each attempt has a folder of its own, the other process ends
with its worker, and a checkpoint that is there already, byte for byte, is the one that was wanted.
"""

import filecmp
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import structlog

from models.checkpoint import SUFFIX, BadCheckpoint, scan
from worker.connection import QueueDown
from worker.imports import GivenFile, Imports, Order
from worker.loading import ModelPool, UnknownModel
from worker.messages import Failure
from worker.scratch import scratch, sweep
from worker.store import NotStored, Store, StoreDown

_ROOT = Path(__file__).resolve().parent.parent
_CONVERT_S = 900  # at most, for files of a gigabyte on a slow disk
_COPIED_BYTES = 2**23  # at a time, between two looks at what people want
_LOOK_S = 0.05
_TELL_AGAIN_S = 1.0
_PREFIX = ".import-"  # of folders beside the checkpoints
_SHARE_OF_COPYING = 0.3
_SHARE_OF_CONVERTING = 0.6
_SAYS = "wordbrush: "  # how the other process begins what it has to say to a person
_TITLE = "The weights can't be imported"
_UNEXPECTED = Failure(
    _TITLE, "The process that reads them ended in a way that nobody expected.", retryable=True
)
_STORE_DOWN = Failure(
    _TITLE, "The place where files are kept can't be reached now. Try again.", retryable=True
)

_log = structlog.get_logger(__name__)


class Refused(ValueError):
    """The files can't become a checkpoint, in words for whoever gave them."""


class Importer:
    """Does imports."""

    def __init__(
        self,
        imports: Imports,
        store: Store,
        models: ModelPool,
        folders: Sequence[Path],
        *,
        between: Callable[[], None],
        announce: Callable[[], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        """Checkpoints are made in the last of `folders`. `between` is called between steps, when
        something else may be done, and `announce` when there is a new model. A worker that
        `is_stopping` waits for no queue server.
        """
        self._imports = imports
        self._store = store
        self._models = models
        self._folders = folders
        self._between = between
        self._announce = announce
        self._is_stopping = is_stopping

    def sweep(self) -> None:
        """Delete what killed workers left beside the checkpoints."""
        sweep(self._folders[-1], _PREFIX)

    def run(self, import_id: str) -> None:
        """Make the checkpoint and load it, and say what came of it.

        Raises:
            QueueDown: it could not be said, or not be found out what to do.
        """
        view = self._imports.read(import_id)
        if view.finished_at:  # by a worker that died before it could say so to RQ
            return
        outcome = self._attempt(import_id, view.order)
        self._tell(import_id, outcome)
        if isinstance(outcome, str):
            with suppress(QueueDown):  # it is said with each heartbeat
                self._announce()
            _log.info("imported", import_id=import_id, model=outcome)
        with suppress(StoreDown):  # files go by themselves in the end
            self._store.discard([file.file_id for file in view.order.files])

    def _attempt(self, import_id: str, order: Order) -> str | Failure:
        """The id of the new model, or why there is none."""
        try:
            return self._import(import_id, order)
        except StoreDown as error:
            _log.error("an import failed: %s", error)  # the address is nobody else's business
            return _STORE_DOWN
        except QueueDown:  # an OSError too, but nothing that is wrong with the files
            raise
        except (Refused, NotStored, OSError) as error:
            return Failure(_TITLE, str(error))
        except subprocess.SubprocessError:
            _log.exception("an import failed in an unexpected way", import_id=import_id)
            return _UNEXPECTED

    def _tell(self, import_id: str, outcome: str | Failure) -> None:
        """Write down how it ended, as soon as the queue server takes it."""
        while True:
            try:
                self._imports.finish(import_id, outcome)
            except QueueDown:
                if self._is_stopping():
                    raise
                sleep(_TELL_AGAIN_S)
            else:
                return

    def _advance(self, import_id: str, progress: float) -> None:
        with suppress(QueueDown):  # the end counts, and is told again
            self._imports.advance(import_id, progress)

    def _import(self, import_id: str, order: Order) -> str:
        """The id of the new model, which is in memory then, if this worker serves it."""
        with scratch(self._folders[-1], f"{_PREFIX}{import_id}-") as folder:
            self._advance(import_id, 0)
            given = self._fetch(import_id, order.files, folder / "given")
            made = self._convert(order, given, folder / "made")
            self._advance(import_id, _SHARE_OF_COPYING + _SHARE_OF_CONVERTING)
            path = self._place(made)
        try:
            self._models.get(path.stem)
        except BadCheckpoint as error:
            if path.parent == self._folders[-1]:
                path.unlink()
            raise Refused(str(error)) from None
        except UnknownModel:
            _log.info("not loaded: this worker serves other models", model=path.stem)
        return path.stem

    def _fetch(self, import_id: str, files: Sequence[GivenFile], folder: Path) -> list[Path]:
        """The files as the authors called them, since their endings count."""
        folder.mkdir()
        total = sum(self._store.entry(file.file_id).size for file in files) or 1
        copied = 0
        for file in files:
            with self._store.open(file.file_id) as kept, (folder / file.name).open("wb") as copy:
                while piece := kept.read(_COPIED_BYTES):
                    copied += copy.write(piece)
                    self._advance(import_id, _SHARE_OF_COPYING * copied / total)
                    self._between()
        return [folder / file.name for file in files]

    def _convert(self, order: Order, files: Sequence[Path], out: Path) -> Path:
        """The checkpoint, made by another process.

        Raises:
            Refused: the files are not the system's.
            SubprocessError: the process took too long, or ended in another way than it should.
        """
        options = ["--system", order.system, "--domain", order.domain, "--out", str(out)]
        options += ["--end-with-input"]
        options += [word for caption in order.examples for word in ("--example", caption)]
        command = [sys.executable, "-m", "models.import_upstream", *options, "--"]
        said = out.with_suffix(".log")
        with said.open("wb") as log:
            process = subprocess.Popen(
                [*command, *map(str, files)],
                cwd=_ROOT,
                stdin=subprocess.PIPE,  # closed when this process is gone, however that came about
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
            try:
                self._await(process)
            finally:
                process.kill()
                process.communicate()
        words = said.read_text(errors="replace").strip()
        if process.returncode == 1 and words.startswith(_SAYS):
            raise Refused(words.removeprefix(_SAYS))
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, stderr=words)
        [made] = out.glob(f"*{SUFFIX}")
        return made

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        deadline = monotonic() + _CONVERT_S
        while process.poll() is None:
            if monotonic() > deadline:
                raise subprocess.TimeoutExpired(process.args, _CONVERT_S)
            self._between()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_S)

    def _place(self, made: Path) -> Path:
        """Where the checkpoint is served: in its folder, or where it is already.

        Raises:
            Refused: there is another of this id, in whatever folder.
        """
        path = self._folders[-1] / made.name
        if (found := scan(self._folders).get(made.stem)) is not None:
            path = found.path
        else:
            with suppress(FileExistsError):
                os.link(made, path)  # fails where there is one, as a rename does not
        if not filecmp.cmp(made, path, shallow=False):
            raise Refused(
                f"there is a model {made.stem} already: choose another name for what they draw"
            )
        return path
