"""What only one `wordbrush up` may have at a time: a data directory and a port."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

_PATIENCE_S = 4.0  # a killed `up` is cleaned up after within this time
_BETWEEN_TRIES_S = 0.1


class DataDirTaken(RuntimeError):
    """Another `wordbrush up` works on this data directory."""


class PortTaken(RuntimeError):
    """The address can't be listened on."""


@contextmanager
def hold(data_dir: Path, note: str) -> Iterator[int]:
    """Keep `data_dir` to ourselves; the descriptor given, inherited by a child, keeps it too.

    `note` is what a second comer is told of us.

    Raises:
        DataDirTaken: somebody else holds it, and goes on holding it for some seconds.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = data_dir / "lock"
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, data_dir)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, data_dir: Path) -> None:
    deadline = monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() > deadline:
                holder = os.pread(descriptor, 1000, 0).decode(errors="replace")
                raise DataDirTaken(
                    f"Wordbrush already runs on {data_dir} ({holder}); stop that one first, "
                    "or give this one another --data-dir"
                ) from None
            sleep(_BETWEEN_TRIES_S)
        else:
            return


def claim_port(host: str, port: int) -> int:
    """`port`, or a free one if that is 0, when `host` can be listened on there just now.

    Raises:
        PortTaken: it can't; says why and what to do.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
            return int(probe.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"port {port} of {host} is in use by another program; "
                "choose another with --port, or --port 0 for any that is free"
            ) from None
        raise PortTaken(f"port {port} of {host} can't be listened on: {error}") from None
