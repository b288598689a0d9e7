"""Whether the store takes files, as load balancers ask again and again.

A store that is silent keeps whoever asks it for a minute. The question is put once at a time, on a
thread of its own, so that those who ask here get an answer soon and keep no thread from others.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread

from worker.store import StoreDown

PATIENCE_S = 3.0  # health checks wait a little longer


class StoreProbe:
    """Puts the question; safe to share between threads."""

    def __init__(self, check: Callable[[], None], patience_s: float = PATIENCE_S) -> None:
        """`check` raises StoreDown where the store takes no files."""
        self._check = check
        self._patience_s = patience_s
        self._lock = Lock()
        self._asked: Future[bool] | None = None

    def takes_files(self) -> bool:
        """As the store says now; False where it says nothing."""
        try:
            return self._question().result(self._patience_s)
        except TimeoutError:
            return False

    def _question(self) -> Future[bool]:
        """The one that is open, else a new one."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                # A daemon: the process may end while the store is silent.
                Thread(target=self._ask, args=(self._asked,), name="probe", daemon=True).start()
            return self._asked

    def _ask(self, asked: Future[bool]) -> None:
        try:
            self._check()
            asked.set_result(True)
        except StoreDown:
            asked.set_result(False)
        except Exception as error:
            asked.set_exception(error)
