"""Folders for unfinished work, which nobody else touches while the process that made them lives.

Each is held by a lock that ends with its process, so what a killed one left can be told from what
is in use.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from time import time

_UNHELD_S = 60.0  # there is a moment between making a folder and holding it


@contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `parent`, deleted at the end."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(prefix=prefix, dir=parent))
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        rmtree(folder)
        os.close(descriptor)


def sweep(parent: Path, prefix: str) -> None:
    """Delete the folders that nobody holds any longer."""
    for folder in parent.glob(f"{prefix}*"):
        with suppress(FileNotFoundError, NotADirectoryError):  # another process sweeps as well
            if time() - folder.stat().st_mtime > _UNHELD_S and not _is_held(folder):
                rmtree(folder)


def _is_held(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
