"""Looks at an installation and says, in words that help, what is wrong with it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

from app.occupancy import PortTaken, claim_port
from app.queue_server import NoQueueServer, find_server
from app.settings import Settings
from models.checkpoint import SUFFIX, BadCheckpoint, read_header
from worker.queue import JobQueue, QueueDown
from worker.store import Store

_OLDEST_PYTHON = (3, 11)
_LITTLE_DISK_BYTES = 2 * 2**30
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Finding:
    """What one look came to."""

    subject: str
    verdict: Literal["ok", "note", "broken"]  # note: it runs, but something is worth knowing
    words: str


def examine(settings: Settings) -> Iterator[Finding]:
    """One finding after another, each as soon as it is there."""
    looks: Sequence[Callable[[Settings], Finding]] = (
        _python,
        _data_dir,
        _disk,
        _store,
        _queue,
        _checkpoints,
        _port,
        _browser,
        _torch,  # last, since it takes seconds
    )
    for look in looks:
        yield look(settings)


def _python(settings: Settings) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        return Finding("Python", "broken", f"this is {version}, wanted 3.11 or later")
    return Finding("Python", "ok", f"{version} at {sys.executable}")


def _torch(settings: Settings) -> Finding:
    """Asked in a process of its own: the web side never imports torch, and it may crash."""
    code = "import torch; print(torch.__version__, torch.cuda.device_count())"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if answer.returncode:
        last = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        return Finding("torch", "broken", f"it can't be imported ({last}); run `make install`")
    version, gpus = answer.stdout.split()[-2:]
    device = f"{gpus} GPU" if gpus != "0" else f"CPU, {os.cpu_count()} cores"
    return Finding("torch", "ok", f"{version} on {device}")


def _data_dir(settings: Settings) -> Finding:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        words = f"{folder} can't be written ({error.strerror}); choose another with --data-dir"
        return Finding("data directory", "broken", words)
    return Finding("data directory", "ok", str(folder))


def _disk(settings: Settings) -> Finding:
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    words = f"{free / 2**30:.1f} GiB free for {settings.data_dir}"
    if free < _LITTLE_DISK_BYTES:
        return Finding("disk", "note", f"{words}; pictures of a day may need more")
    return Finding("disk", "ok", words)


def _store(settings: Settings) -> Finding:
    try:
        store = Store.from_settings(settings)
        store.get(store.put(b"wordbrush doctor", kind="uploads"))
    except Exception as error:  # each kind of storage has its own
        words = f"{settings.store_url} takes no files ({error}); see WORDBRUSH_STORE_URL"
        return Finding("store", "broken", words)
    return Finding("store", "ok", settings.store_url)


def _queue(settings: Settings) -> Finding:
    if settings.has_own_queue:
        try:
            return Finding(
                "queue server", "ok", f"{find_server().title}, started by `wordbrush up`"
            )
        except NoQueueServer as error:
            return Finding("queue server", "broken", str(error))
    try:
        JobQueue.from_settings(settings).ping()
    except QueueDown as error:
        return Finding("queue server", "broken", f"{error}; see REDIS_URL")
    return Finding("queue server", "ok", "the one in REDIS_URL answers")


def _checkpoints(settings: Settings) -> Finding:
    good: list[str] = []
    bad: list[str] = []
    for path in _checkpoint_files(settings.checkpoints):
        try:
            good.append(read_header(path).id)
        except (BadCheckpoint, OSError) as error:
            bad.append(str(error))
    if not good:
        folders = " or ".join(map(str, settings.checkpoints))
        words = "; ".join([f"there is none in {folders}, so nothing can be edited", *bad])
        return Finding("checkpoints", "broken", words)
    if bad:
        return Finding("checkpoints", "note", f"{', '.join(good)}; passed over: {'; '.join(bad)}")
    return Finding("checkpoints", "ok", ", ".join(good))


def _checkpoint_files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.glob(f"*{SUFFIX}"))


def _port(settings: Settings) -> Finding:
    try:
        claim_port(settings.host, settings.port)
    except PortTaken as error:
        return Finding("port", "note", str(error))
    return Finding("port", "ok", f"{settings.port} of {settings.host} is free")


def _browser(settings: Settings) -> Finding:
    for name in _BROWSERS:
        if found := shutil.which(name):
            return Finding("browser for tests", "ok", found)
    words = "no Chromium found; only the tests need one: apt-get install chromium"
    return Finding("browser for tests", "note", words)
