"""A chunk of a batch through the engine, a pass at a time, with people served between the steps.

A chunk that comes back since a worker died over it goes on with what is not done, one item at a
time. Which one is being tried is written down first, so the item at which the next worker dies is
known, and is left out by the one after.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from time import perf_counter

import structlog

from worker.batch_records import UnknownBatch, pending
from worker.batches import Batches
from worker.engine import Engine
from worker.messages import Failure, Request, Result
from worker.queue import JobQueue, QueueDown
from worker.records import Status
from worker.watch import Watch

_log = structlog.get_logger(__name__)
_DEADLY = Failure(
    "The worker died",
    "The worker died over this item, or it took too long; the rest of the batch went on.",
)
_LOST = Failure(
    "The item was lost",
    "Workers died again and again over items beside this one, so it was given up.",
    retryable=True,
)


class ChunkRunner:
    """Does chunks of batches."""

    def __init__(
        self,
        batches: Batches,
        queue: JobQueue,
        engine: Engine,
        *,
        batch_size: int,
        limited: Callable[[], AbstractContextManager[object]],
        between: Callable[[], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        """Up to `batch_size` pictures go through a network together, each pass inside `limited()`;
        `between` is called between steps, when something else may be done. A worker that
        `is_stopping` puts the chunk back.
        """
        self._batches = batches
        self._queue = queue
        self._engine = engine
        self._batch_size = batch_size
        self._limited = limited
        self._watch = _Between(between)
        self._is_stopping = is_stopping

    def run(
        self,
        batch_id: str,
        model: str,
        numbers: Sequence[int],
        *,
        is_retried: bool,
        is_last_try: bool,
    ) -> None:
        """Do those of these items, all for one model, that are not done, unless the batch is
        canceled.
        """
        try:
            view = self._batches.begin(batch_id)
        except UnknownBatch:  # its time is over
            return
        left = pending(self._batches.items(view, numbers))
        if is_last_try:
            self._batches.note(batch_id, model, dict.fromkeys(left, _LOST))
            return
        if is_retried:
            suspect = self._batches.suspect(batch_id, numbers[0], None)
            if suspect in left:
                del left[suspect]
                self._batches.note(batch_id, model, {suspect: _DEADLY})
        for together in _passes(left, 1 if is_retried else self._batch_size):
            if self._batches.read(batch_id).status is Status.CANCELED:
                return
            if self._is_stopping():
                self._batches.put_back(batch_id, model, numbers)
                return
            if is_retried:
                self._batches.suspect(batch_id, numbers[0], together[0])
            outcomes = self._pass([left[n] for n in together])
            self._batches.note(batch_id, model, dict(zip(together, outcomes, strict=True)))
        if is_retried:
            self._batches.suspect(batch_id, numbers[0], None)
        _log.info("chunk", batch_id=batch_id, model=model, items=len(numbers))

    def _pass(self, requests: Sequence[Request]) -> list[Result | Failure]:
        """What became of requests that go through the network together, and how long it took."""
        started, away_s = perf_counter(), self._watch.away_s
        with self._limited():
            outcomes = self._engine.run(requests, self._watch)
        seconds = perf_counter() - started - (self._watch.away_s - away_s)
        if all(isinstance(outcome, Result) for outcome in outcomes):
            pictures = sum(request.pictures for request in requests)
            with suppress(QueueDown):  # it is only an estimate that goes without
                self._queue.note_pace(requests[0], seconds=seconds, pictures=pictures, batch=True)
        return outcomes


class _Between(Watch):
    """Serves people between the steps, and measures for how long."""

    def __init__(self, between: Callable[[], None]) -> None:
        self._between = between
        self.away_s = 0.0

    def between(self) -> None:
        started = perf_counter()
        self._between()
        self.away_s += perf_counter() - started


def _passes(requests: Mapping[int, Request], most: int) -> Iterator[list[int]]:
    """Numbers of requests that go through a network together: of one task, in order."""
    kinds: dict[object, list[int]] = {}
    for number, request in requests.items():
        kinds.setdefault(request.task, []).append(number)
    for numbers in kinds.values():
        together: list[int] = []
        for number in numbers:
            if sum(requests[n].pictures for n in (*together, number)) > most and together:
                yield together
                together = []
            together.append(number)
        yield together
