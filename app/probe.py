"""What load balancers ask of other services again and again, also where those say nothing.

A service that is silent keeps whoever asks it for seconds or minutes. So a question is put once at
a time, on a thread of its own, and whoever asks waits for its answer on the event loop, not for
long: nobody keeps a thread from others, and nobody needs one that others keep.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

PATIENCE_S = 3.0  # health checks wait a little longer

T = TypeVar("T")


@dataclass(frozen=True)
class Obstacle:
    """Why no work can be done now, in words."""

    reason: str


class Probe(Generic[T]):
    """Puts one question to one service; safe to share between threads and event loops."""

    def __init__(
        self, ask: Callable[[], T | Obstacle], *, silence: str, patience_s: float = PATIENCE_S
    ) -> None:
        """`ask` may take its time; `silence` is the reason where it has not come to an answer
        within `patience_s`.
        """
        self._ask = ask
        self._silence = Obstacle(silence)
        self._patience_s = patience_s
        self._lock = Lock()
        self._question: _Question[T] | None = None

    async def answer(self) -> T | Obstacle:
        """As the service says now; an error of `ask` is raised here."""
        question = self._open_question()
        left_s = max(0.0, question.put_at + self._patience_s - monotonic())
        # Unlike wait_for, this leaves the question open for others.
        await asyncio.wait([asyncio.wrap_future(question.answer)], timeout=left_s)
        if not question.answer.done():
            return self._silence
        said = question.answer.result()
        if isinstance(said, Exception):
            raise said
        return said

    def _open_question(self) -> "_Question[T]":
        """The one that is open, else a new one."""
        with self._lock:
            if self._question is None or self._question.answer.done():
                self._question = _Question(Future(), monotonic())
                # A daemon: the process may end while the service is silent.
                put = Thread(target=self._put, args=[self._question], name="probe", daemon=True)
                put.start()
            return self._question

    def _put(self, question: "_Question[T]") -> None:
        try:
            question.answer.set_result(self._ask())
        except Exception as error:
            question.answer.set_result(error)


@dataclass(frozen=True)
class _Question(Generic[T]):
    """One that was put to the service."""

    answer: "Future[T | Obstacle | Exception]"  # an error is one too: nobody may be left to hear it
    put_at: float  # of the monotonic clock, in seconds
