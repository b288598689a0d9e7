"""The service that a command uses: one that is named, one that runs here, or one for the moment."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import httpx

from app.children import Group, Service
from app.settings import Settings

_READY = "Wordbrush is ready: "
_STOP_S = 15.0
_LOOK_S = 1.0
_LOOK_AGAIN_S = 0.1
_STARTS_WITHIN_S = 120.0
_LINES_TOLD = 5


class NoService(RuntimeError):
    """None runs, and none could be started."""


def running(server: str | None, settings: Settings) -> str:
    """The address of `server`, if that is given; else of the service on this machine's port.

    Raises:
        NoService: none runs there.
    """
    if (address := _found(server, settings)) is None:
        raise NoService(f"none runs on port {settings.port} here; --server names another")
    return address


@contextmanager
def service(server: str | None, settings: Settings, say: Callable[[str], object]) -> Iterator[str]:
    """The address of `server`, if that is given; else of the service on this machine's port; else
    of one that is started now and ends with the block, with the same checkpoints.

    Raises:
        NoService: it did not start; says what it said.
    """
    if address := _found(server, settings):
        yield address
        return
    say("no service runs here, starting one for the moment")
    with (
        TemporaryDirectory(prefix="wordbrush-") as folder,
        _started(settings, Path(folder)) as momentary,
    ):
        yield momentary


def _found(server: str | None, settings: Settings) -> str | None:
    here = f"http://127.0.0.1:{settings.port}"
    return server or (here if _is_wordbrush(here) else None)


@contextmanager
def _started(settings: Settings, folder: Path) -> Iterator[str]:
    """In a process group of its own: a terminal's Ctrl-C is for the command, which may still have
    something to ask.
    """
    own = {"REDIS_URL", "WORDBRUSH_REDIS_URL", "WORDBRUSH_STORE_URL", "WORDBRUSH_ACCESS"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    environment["WORDBRUSH_CHECKPOINTS"] = os.pathsep.join(map(str, settings.checkpoints))
    command = [sys.executable, "-m", "app", "up", "--port", "0", "--data-dir", str(folder)]
    log = folder / "service.log"
    group = Group()
    process = group.start(Service("up", [*command, "--host", "127.0.0.1"], environment, log))
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()  # what it started ends with it
            process.wait()
        group.release()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    last_look = monotonic() + _STARTS_WITHIN_S
    while True:
        has_failed = process.poll() is not None or monotonic() > last_look
        said = log.read_text()
        for line in said.splitlines(keepends=True):
            if line.startswith(_READY) and line.endswith("\n"):
                return line.removeprefix(_READY).split()[0]
        if has_failed:
            last = "\n".join(said.splitlines()[-_LINES_TOLD:])
            raise NoService(f"the service did not start:\n{last}")
        sleep(_LOOK_AGAIN_S)


def _is_wordbrush(address: str) -> bool:
    try:
        return httpx.get(f"{address}/livez", timeout=_LOOK_S, trust_env=False).is_success
    except httpx.TransportError:
        return False
