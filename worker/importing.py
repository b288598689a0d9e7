"""Published weights into a checkpoint of one's own, by a process beside the worker's.

The authors' files are large and of others: reading them takes memory and time, so it is done by
`python -m models.import_upstream`, while this worker goes on serving people. The checkpoint appears
in its folder when it is whole, and never in the place of another.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from time import monotonic

import structlog

from models.checkpoint import SUFFIX, BadCheckpoint, scan
from worker.imports import GivenFile, Imports, Order
from worker.loading import ModelPool, UnknownModel
from worker.messages import Failure
from worker.store import NotStored, Store

_ROOT = Path(__file__).resolve().parent.parent
_CONVERT_S = 900  # at most, for files of a gigabyte on a slow disk
_COPIED_BYTES = 2**23  # at a time, between two looks at what people want
_LOOK_S = 0.05
_SHARE_OF_COPYING = 0.3
_SHARE_OF_CONVERTING = 0.6
_SAYS = "wordbrush: "  # how the other process begins what it has to say to a person
_TITLE = "The weights can't be imported"
_UNEXPECTED = Failure(
    _TITLE, "The process that reads them ended in a way that nobody expected.", retryable=True
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
    ) -> None:
        """Checkpoints are made in the last of `folders`. `between` is called between steps, when
        something else may be done, and `announce` when there is a new model.
        """
        self._imports = imports
        self._store = store
        self._models = models
        self._folders = folders
        self._between = between
        self._announce = announce

    def run(self, import_id: str) -> None:
        """Make the checkpoint and load it, and say what came of it."""
        view = self._imports.read(import_id)
        if view.finished_at:  # by a worker that died before it could say so to RQ
            return
        try:
            model = self._import(import_id, view.order)
        except (Refused, NotStored, OSError) as error:
            self._imports.finish(import_id, Failure(_TITLE, str(error)))
        except subprocess.SubprocessError:
            _log.exception("an import failed in an unexpected way", import_id=import_id)
            self._imports.finish(import_id, _UNEXPECTED)
        else:
            self._imports.finish(import_id, model)
            self._announce()
            _log.info("imported", import_id=import_id, model=model)
        self._store.discard([file.file_id for file in view.order.files])

    def _import(self, import_id: str, order: Order) -> str:
        """The id of the new model, which is in memory then, if this worker serves it."""
        with self._scratch(import_id) as scratch:
            self._imports.advance(import_id, 0)
            given = self._fetch(import_id, order.files, scratch / "given")
            made = self._convert(order, given, scratch / "made")
            self._imports.advance(import_id, _SHARE_OF_COPYING + _SHARE_OF_CONVERTING)
            path = self._place(made)
        try:
            self._models.get(path.stem)
        except BadCheckpoint as error:
            path.unlink()
            raise Refused(str(error)) from None
        except UnknownModel:
            _log.info("not loaded: this worker serves other models", model=path.stem)
        return path.stem

    @contextmanager
    def _scratch(self, import_id: str) -> Iterator[Path]:
        """A folder beside the checkpoints, so that what was made there can be moved in one step."""
        folder = self._folders[-1] / f".import-{import_id}"
        rmtree(folder, ignore_errors=True)  # of a worker that died over it
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            rmtree(folder)

    def _fetch(self, import_id: str, files: Sequence[GivenFile], folder: Path) -> list[Path]:
        """The files as the authors called them, since their endings count."""
        folder.mkdir()
        total = sum(self._store.entry(file.file_id).size for file in files) or 1
        copied = 0
        for file in files:
            with self._store.open(file.file_id) as kept, (folder / file.name).open("wb") as copy:
                while piece := kept.read(_COPIED_BYTES):
                    copied += copy.write(piece)
                    self._imports.advance(import_id, _SHARE_OF_COPYING * copied / total)
                    self._between()
        return [folder / file.name for file in files]

    def _convert(self, order: Order, files: Sequence[Path], out: Path) -> Path:
        """The checkpoint, made by another process.

        Raises:
            Refused: the files are not the system's.
            SubprocessError: the process took too long, or ended in another way than it should.
        """
        options = ["--system", order.system, "--domain", order.domain, "--out", str(out)]
        options += [word for caption in order.examples for word in ("--example", caption)]
        command = [sys.executable, "-m", "models.import_upstream", *options, "--"]
        said = out.with_suffix(".log")
        with said.open("wb") as log:
            process = subprocess.Popen(
                [*command, *map(str, files)], cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=log
            )
            try:
                self._await(process)
            finally:
                process.kill()
                process.wait()
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
        """The checkpoint in its folder, where it is served.

        Raises:
            Refused: there is one of this id, in whatever folder.
        """
        path = self._folders[-1] / made.name
        try:
            if made.stem in scan(self._folders):
                raise FileExistsError(path)
            os.link(made, path)  # fails where there is one, as a rename does not
        except FileExistsError:
            raise Refused(
                f"there is a model {made.stem} already: choose another name for what they draw"
            ) from None
        return path
