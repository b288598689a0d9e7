"""A process that writes what batches draw from words alone. Free of torch.

To encode a small drawing and its heatmaps is mostly Python, and a thread that does it takes
Python's lock between the many short operations of the network, which goes slower for it. In a
process of its own it costs the network nothing but the sending. Edits stay in the thread
(worker/writer.py): what they write begins from a photo, which would have to be sent as well.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Lock

import structlog

from worker import results
from worker.messages import Request, Result
from worker.results import Answer, Drawing
from worker.settings import Settings
from worker.store import Store

Outcome = Result | Exception

_log = structlog.get_logger(__name__)
_NICER = 10  # than the network, which is not to make room for it on its core
LEAVES_S = 10  # how long it may take to end when nobody sends any more


class Scribe:
    """Writes drawings in a process that begins with the first and is begun again if it dies."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._busy = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def write(self, drawings: Sequence[Drawing]) -> list[Outcome]:
        """What became of each, written there; here, while it writes others."""
        if not self._busy.acquire(blocking=False):
            return _written(self._store, drawings)
        try:
            return self._ask(drawings)
        except (EOFError, OSError):
            self._drop()
            _log.warning("the process that writes drawings died; the next begins another")
            return _written(self._store, drawings)
        except BaseException:  # a time limit, maybe: what comes back later is no answer to anything
            self._drop()
            raise
        finally:
            self._busy.release()

    def close(self) -> None:
        """Let the process end, once nothing is being written."""
        with self._busy:
            self._drop()

    def _ask(self, drawings: Sequence[Drawing]) -> list[Outcome]:
        connection = self._connection or self._begin()
        connection.send(drawings)
        made: list[Outcome] = connection.recv()
        return made

    def _begin(self) -> Connection:
        ours, theirs = Pipe()
        with theirs:
            end = theirs.fileno()
            command = [sys.executable, "-m", "worker.scribe", str(end)]
            self._process = subprocess.Popen(command, pass_fds=[end])
        self._connection = ours
        ours.send(self._settings)
        return ours

    def _drop(self) -> None:
        """It ends at the end of what is sent to it."""
        if self._connection is None or self._process is None:
            return
        self._connection.close()
        try:
            self._process.wait(LEAVES_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._connection = self._process = None


def serve(connection: Connection) -> None:
    """Write what comes, until nothing more can come. Signals to stop are for the worker, which may
    have something left to write.
    """
    os.nice(_NICER)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(EOFError, ConnectionError):
        store = Store.from_settings(connection.recv())
        while True:
            connection.send(_written(store, connection.recv()))


def _written(store: Store, drawings: Sequence[Drawing]) -> list[Outcome]:
    return [_outcome(store, *drawing) for drawing in drawings]


def _outcome(store: Store, request: Request, answer: Answer) -> Outcome:
    try:
        return results.write_all(store, request, answer)
    except Exception as error:
        return error


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
