"""What passes drew is written in a thread of its own while the next pass is drawn. Free of torch.

Encoding and storing take no network, and what they call (Pillow, zlib, files) leaves Python to
others meanwhile. Whoever waits for it helps: what the thread has not come to is done by the one who
waits, from the last on. So a machine with one core needs no thread, and no queue of what is to be
written grows.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event, Lock
from time import perf_counter
from typing import Generic, TypeVar

T = TypeVar("T")
_LOOK_S = 0.005  # how long whoever waits does nothing else


class Steps(Generic[T]):
    """What is to be done of one pass, in any order and by two threads."""

    def __init__(
        self, steps: Sequence[Callable[[], T]], then: Callable[[list[T], float], None]
    ) -> None:
        """`then` is given what the steps returned, in order, and the seconds they took, by the
        thread that does the last.
        """
        self._steps = steps
        self._then = then
        self._made: dict[int, T] = {}
        self._spent_s = 0.0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._steps)

    def do(self, number: int) -> None:
        started = perf_counter()
        made = self._steps[number]()
        with self._lock:
            self._spent_s += perf_counter() - started
            self._made[number] = made
            is_last = len(self._made) == len(self)
        if is_last:
            self._then([made for _, made in sorted(self._made.items())], self._spent_s)


class Begun:
    """Steps of a pass that are being done, or wait for it."""

    def __init__(self, steps: Steps[T], futures: Sequence[Future[None]]) -> None:
        self._steps = steps
        self._futures = futures

    def wait(self, between: Callable[[], None]) -> None:
        """Do what nobody has begun and return when all is done; `between` is called meanwhile.

        Raises:
            Exception: what a step raised, or what comes after them.
        """
        for number in reversed(range(len(self._steps))):
            if self._futures[number].cancel():
                self._steps.do(number)
                between()
        for future in self._futures:
            while not future.done():
                wait([future], _LOOK_S)
                between()
            if not future.cancelled():
                future.result()

    def drop(self) -> None:
        """Leave undone what nobody has begun, and wait for what somebody has."""
        wait([future for future in self._futures if not future.cancel()])


class Writer:
    """Does the steps of passes in their order, beside whoever began them, who is one thread."""

    def __init__(self, *, beside: bool) -> None:
        """Where not `beside`, nothing is done until somebody waits for it."""
        self._thread = ThreadPoolExecutor(1, "writer") if beside else None
        self._may_work = Event()
        self._may_work.set()

    @property
    def ahead(self) -> int:
        """How many passes may wait to be written while the next is drawn."""
        return 1 if self._thread else 0

    def begin(self, steps: Steps[T]) -> Begun:
        """Set about the steps, after those that were begun before."""
        return Begun(steps, [self._submitted(steps, number) for number in range(len(steps))])

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, the thread begins nothing new: something else is more urgent."""
        self._may_work.clear()
        try:
            yield
        finally:
            self._may_work.set()

    def _submitted(self, steps: Steps[T], number: int) -> Future[None]:
        if self._thread is None:
            return Future()
        return self._thread.submit(self._when_free, steps, number)

    def _when_free(self, steps: Steps[T], number: int) -> None:
        self._may_work.wait()
        steps.do(number)


def cores() -> int:
    """Of the processor, that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on a Mac
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
