"""A chunk of a batch through the engine, a pass at a time, with people served between the steps.

A chunk that comes back since a worker died over it goes on with what is not done, one item at a
time. Which one is being tried is written down first, so the item at which the next worker dies is
known. Workers are ended for reasons of others, too, so it is left out only after a second died.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

import structlog
from opentelemetry.trace import Span, SpanKind, Tracer

from worker import tracing
from worker.batch_records import BatchView, UnknownBatch, pending
from worker.batches import Batches
from worker.engine import Engine, Writing
from worker.messages import Failure, Request, Result
from worker.passes import PassSizes, passes
from worker.queue import JobQueue, QueueDown, Status
from worker.watch import Watch
from worker.writer import Begun, Steps, Writer

_log = structlog.get_logger(__name__)
_SERVE_AGAIN_S = 0.01
_LOOK_AGAIN_S = 0.05
_DEADLY = Failure(
    "The worker died",
    "Workers died over this item, or it took too long; the rest of the batch went on.",
)
_LOST = Failure(
    "The item was lost",
    "Workers died again and again over items beside this one, so it was given up.",
    retryable=True,
)


@dataclass(frozen=True)
class _Chunk:
    """Which items are to be done, and what is known of them so far."""

    batch_id: str
    model: str
    numbers: Sequence[int]
    is_retried: bool  # one of them may be deadly
    request_id: str | None  # of the HTTP request that the batch came with
    failed: list[int] = field(default_factory=list)  # two threads add to these two
    unwanted: list[int] = field(default_factory=list)  # when they were done: it was canceled


class _Watch(Watch):
    """Serves people between the steps of a chunk, and knows whether it is still wanted.

    Asks for neither after each step, since steps may be many and short.
    """

    def __init__(
        self, between: Callable[[], None], writer: Writer, is_wanted: Callable[[], bool]
    ) -> None:
        self._between = between
        self._writer = writer
        self._is_wanted = is_wanted
        self._served_at = self._looked_at = 0.0
        self._is_canceled = False
        self.away_s = 0.0  # with people

    def is_canceled(self, index: int = 0) -> bool:
        """The whole batch, as far as known: while the queue is away, nobody can have canceled."""
        if perf_counter() - self._looked_at > _LOOK_AGAIN_S:
            self._looked_at = perf_counter()
            with suppress(QueueDown):
                self._is_canceled = not self._is_wanted()
        return self._is_canceled

    def between(self) -> None:
        started = perf_counter()
        if started - self._served_at < _SERVE_AGAIN_S:
            return
        with self._writer.held():
            self._between()
        self._served_at = perf_counter()
        self.away_s += self._served_at - started


class ChunkRunner:
    """Does chunks of batches."""

    def __init__(
        self,
        batches: Batches,
        queue: JobQueue,
        engine: Engine,
        writer: Writer,
        tracer: Tracer,
        *,
        elsewhere: Writing | None,
        sizes: PassSizes,
        limited: Callable[[], AbstractContextManager[object]],
        between: Callable[[], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        """`sizes` says how many pictures go through a network together; drawing a pass and waiting
        until it is written are each done inside `limited()`. Drawings are written `elsewhere`, if
        that is given, the rest by the writer itself. `between` is called between steps, when
        something else may be done. A worker that `is_stopping` puts the chunk back.
        """
        self._batches = batches
        self._queue = queue
        self._engine = engine
        self._writer = writer
        self._tracer = tracer
        self._elsewhere = elsewhere
        self._sizes = sizes
        self._limited = limited
        self._between = between
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
        chunk = _Chunk(batch_id, model, numbers, is_retried, view.request_id)
        left = pending(self._batches.items(view, numbers))
        with self._traced(chunk, view, len(left)) as span:
            status = self._do(chunk, left, is_last_try=is_last_try)
            failed = len(chunk.failed)
            is_error = failed and status is not Status.CANCELED
            error = f"{failed} of {len(left)} items failed" if is_error else None
            tracing.end(span, {"status": status.value, "failed": failed}, error)

    @contextmanager
    def _traced(self, chunk: _Chunk, view: BatchView, items: int) -> Iterator[Span]:
        """A span of the chunk, in the trace of the request that the batch came with; of an error,
        if the chunk breaks off.
        """
        attributes: dict[str, str | int] = {
            "wordbrush.batch": chunk.batch_id,
            "wordbrush.model": chunk.model,
            "wordbrush.items": items,
        }
        context = tracing.context_of(view.trace)
        span = self._tracer.start_span("chunk", context, SpanKind.CONSUMER, attributes)
        try:
            yield span
        finally:
            tracing.end(span, {}, "the chunk broke off")

    def _do(self, chunk: _Chunk, left: dict[int, Request], *, is_last_try: bool) -> Status:
        """Do what is `left`; how the chunk stands then: queued is one that was put back."""
        if is_last_try:
            self._write_down(chunk, dict.fromkeys(left, _LOST))
            return Status.FAILED
        if chunk.is_retried:
            suspect = self._batches.suspect(chunk.batch_id, chunk.numbers[0], None)
            if suspect in left and not self._batches.spare(chunk.batch_id, suspect):
                self._write_down(chunk, {suspect: _DEADLY})
                left = {number: request for number, request in left.items() if number != suspect}
        status = self._run(chunk, left)
        if status is not Status.SUCCEEDED:
            return status
        if chunk.is_retried:
            self._batches.suspect(chunk.batch_id, chunk.numbers[0], None)
        _log.info(
            "chunk",
            batch_id=chunk.batch_id,
            request_id=chunk.request_id,
            model=chunk.model,
            items=len(chunk.numbers),
        )
        return status

    def _run(self, chunk: _Chunk, left: Mapping[int, Request]) -> Status:
        """As `_do`. Each pass is drawn while the one before is being written, but one at a time
        where one of them may be deadly.
        """
        is_wanted = partial(self._batches.is_wanted, chunk.batch_id)
        watch = _Watch(self._between, self._writer, is_wanted)
        size = (lambda _: 1) if chunk.is_retried else self._sizes.of
        ahead = 0 if chunk.is_retried else self._writer.ahead
        begun: deque[Begun] = deque()
        try:
            for together in passes(left, size):
                if watch.is_canceled():
                    return Status.CANCELED
                if self._is_stopping():
                    self._finish(begun, watch)
                    self._batches.put_back(chunk.batch_id, chunk.model, chunk.numbers)
                    return Status.QUEUED
                if chunk.is_retried:
                    self._batches.suspect(chunk.batch_id, chunk.numbers[0], together[0])
                requests = {number: left[number] for number in together}
                begun.append(self._begin(chunk, requests, watch))
                self._finish(begun, watch, ahead)
            self._finish(begun, watch)
        finally:
            for one in begun:
                one.drop()
        return Status.CANCELED if chunk.unwanted else Status.SUCCEEDED

    def _begin(self, chunk: _Chunk, requests: Mapping[int, Request], watch: _Watch) -> Begun:
        """Take requests through the network together and give the writer what is left to do."""
        started, away_s = perf_counter(), watch.away_s
        with self._limited():
            endings = self._engine.draw(list(requests.values()), watch, self._elsewhere)
        drawn_s = perf_counter() - started - (watch.away_s - away_s)
        self._sizes.note(list(requests.values()), drawn_s)
        begun = self._writer.begin(Steps(endings, partial(self._note, chunk, requests, drawn_s)))
        watch.between()
        return begun

    def _finish(self, begun: deque[Begun], watch: _Watch, ahead: int = 0) -> None:
        """Wait until passes are written and noted, all but the last `ahead`."""
        while len(begun) > ahead:
            with self._limited():
                begun[0].wait(watch.between)
            begun.popleft()

    def _note(
        self,
        chunk: _Chunk,
        requests: Mapping[int, Request],
        drawn_s: float,
        outcomes: Sequence[Result | Failure],
        written_s: float,
    ) -> None:
        """Write down what became of a pass and how long it took; in either thread."""
        by_number = dict(zip(requests, outcomes, strict=True))
        self._write_down(chunk, by_number)
        if not all(isinstance(outcome, Result) for outcome in outcomes):
            return
        first, pictures = next(iter(requests.values())), sum(r.pictures for r in requests.values())
        with suppress(QueueDown):  # it is only an estimate that goes without
            seconds = drawn_s + written_s
            self._queue.note_pace(first, seconds=seconds, pictures=pictures, batch=True)

    def _write_down(self, chunk: _Chunk, outcomes: Mapping[int, Result | Failure]) -> None:
        """What became of items, for whoever asked; of those that failed the log has a line, too."""
        if not self._batches.note(chunk.batch_id, chunk.model, outcomes):
            chunk.unwanted.extend(outcomes)
            return
        for number, outcome in outcomes.items():
            if isinstance(outcome, Failure):
                chunk.failed.append(number)
                _log.warning(
                    "item failed",
                    batch_id=chunk.batch_id,
                    request_id=chunk.request_id,
                    item=number,
                    model=chunk.model,
                    reason=outcome.title,
                )
