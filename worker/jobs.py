"""What a worker does with a job, and the short list of names that it answers to.

RQ finds a job's function by importing the name it carries, so whoever can write to the queue could
run `os.system`. Here a name is only looked up in a table, and nothing else that a job may carry
(callbacks, webhooks, a bound instance) is followed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import structlog
from opentelemetry.trace import Span, SpanKind, Tracer
from rq.executions import Execution, ExecutionRegistry
from rq.job import Job, JobStatus
from structlog.contextvars import bound_contextvars

from models.checkpoint import BadCheckpoint
from worker import tracing
from worker.engine import Engine
from worker.loading import ModelPool, UnknownModel
from worker.messages import Failure, Request, Result
from worker.queue import JobQueue, JobView, QueueDown, Status
from worker.watch import Watch

_log = structlog.get_logger(__name__)


class LivingExecutions(ExecutionRegistry):
    """The executions of a job that can still be read.

    RQ forgets a dead worker's execution a minute before it takes it off this list, and meanwhile
    the job could not be deleted, which is how one ends whose result is not kept.
    """

    def get_executions(self, start: int = 0, end: int = -1) -> list[Execution]:
        found = []
        for execution_id in self.get_execution_ids(start, end):
            with suppress(ValueError):
                found.append(Execution.fetch(execution_id, self.job_id, self.connection))
        return found


class NotAllowed(PermissionError):
    """A job names a function that this worker does not run."""


def job_class(functions: Mapping[str, Callable[..., Any]]) -> type[Job]:
    """RQ's Job that runs `functions` by their names in the table, and nothing else."""

    class AllowedJob(Job):
        @property
        def func(self) -> Callable[..., Any]:
            found = functions.get(self.func_name or "")
            if found is None or self.instance is not None:
                allowed = ", ".join(functions)
                raise NotAllowed(f"a job names {self.func_name!r}, allowed is only {allowed}")
            return found

        @property
        def execution_registry(self) -> ExecutionRegistry:
            return LivingExecutions(self.id, connection=self.connection)

        @property
        def success_callback(self) -> None:
            return None

        @property
        def failure_callback(self) -> None:
            return None

        @property
        def stopped_callback(self) -> None:
            return None

        def send_webhooks(self, status: str | JobStatus, *, exc_string: str | None = None) -> None:
            """None are sent: a job does not choose whom this machine calls."""

    return AllowedJob


class JobRunner:
    """Takes jobs from their records through the engine to their ends."""

    def __init__(self, queue: JobQueue, models: ModelPool, engine: Engine, tracer: Tracer) -> None:
        self._tracer = tracer
        self._spans: dict[str, Span] = {}  # of the jobs in hand
        self._queue = queue
        self._models = models
        self._engine = engine

    def run(self, job_ids: Sequence[str], between: Callable[[], None] = lambda: None) -> None:
        """Do the jobs, all for one model and task, in one pass through the network, unless they
        have ended: canceled while they waited, or done by a worker that died before it could say
        so to RQ. `between` is called between steps, when something else may be done.
        """
        views = [
            view for job_id in job_ids if not (view := self._queue.read(job_id)).status.is_final
        ]
        if not views:
            return
        waited_s = [(datetime.now(UTC) - view.created_at).total_seconds() for view in views]
        self._mark(views, Status.STARTING)
        load_s = self._load(views[0].request.model)
        self._mark(views, Status.PROCESSING)
        started = perf_counter()
        with self._traced(views) as spans, bound_contextvars(jobs=[view.id for view in views]):
            watch = _Reporter(self._queue, views, spans, waited_s, load_s, between)
            outcomes = self._engine.run([view.request for view in views], watch)
        if any(isinstance(outcome, Result) for outcome in outcomes):
            pictures = sum(view.request.pictures for view in views)
            seconds = perf_counter() - started
            self._queue.note_pace(_alike(views), seconds=seconds, pictures=pictures)

    def give_up(self, job_id: str, limit_s: float) -> None:
        """End a job that takes longer than it may."""
        detail = f"The job took longer than the {limit_s:g} s that one may take, and was stopped."
        failure = Failure("The job took too long", detail)
        if self._queue.finish(job_id, failure):
            _log.error("job stopped", job_id=job_id, limit_s=limit_s)
            if span := self._spans.get(job_id):
                tracing.end(span, _figures(failure, Status.FAILED), failure.title)

    @contextmanager
    def _traced(self, views: Sequence[JobView]) -> Iterator[Mapping[str, Span]]:
        """Spans of the jobs, by id. Those that have not ended when the pass has are told as errors:
        it broke off, and the jobs come back.
        """
        spans = {view.id: self._span(view) for view in views}
        self._spans |= spans
        try:
            yield spans
        finally:
            for job_id, span in spans.items():
                tracing.end(span, {}, "the pass broke off")
                del self._spans[job_id]

    def _span(self, view: JobView) -> Span:
        """The job's, in the trace of its request."""
        attributes = {"wordbrush.job": view.id, "wordbrush.model": view.request.model}
        context = tracing.context_of(view.trace)
        return self._tracer.start_span("job", context, SpanKind.CONSUMER, attributes)

    def _mark(self, views: Sequence[JobView], stage: Status) -> None:
        for view in views:
            self._queue.mark(view.id, stage)

    def _load(self, model_id: str) -> float:
        """Get the model into memory and say how long that took, in seconds."""
        started = perf_counter()
        with suppress(UnknownModel, BadCheckpoint):  # the engine tells the person who asked
            self._models.get(model_id)
        return perf_counter() - started


class _Reporter(Watch):
    """Tells the queue how the jobs of a pass go on, each as soon as there is something to tell."""

    def __init__(
        self,
        queue: JobQueue,
        views: Sequence[JobView],
        spans: Mapping[str, Span],
        waited_s: Sequence[float],
        load_s: float,
        between: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._views = views
        self._spans = spans
        self._waited_s = waited_s
        self._load_s = load_s
        self._between = between

    def is_canceled(self, index: int) -> bool:
        """Whether somebody ended the job; while the queue is away, nobody can have."""
        try:
            return self._queue.has_ended(self._views[index].id)
        except QueueDown:
            return False

    def advanced(self, index: int, share: float) -> None:
        with suppress(QueueDown):  # the end counts, and is told again
            self._queue.advance(self._views[index].id, share)

    def finished(self, index: int, outcome: Result | Failure) -> None:
        if isinstance(outcome, Result):
            metrics = replace(outcome.metrics, queue_s=self._waited_s[index], load_s=self._load_s)
            outcome = replace(outcome, metrics=metrics)
        view = self._views[index]
        figures = _figures(outcome, self._finish(view.id, outcome))
        tracing.end(self._spans[view.id], figures, figures.get("reason"))
        _log.info(
            "job",
            job_id=view.id,
            request_id=view.request_id,
            model=view.request.model,
            **figures,
        )

    def between(self) -> None:
        self._between()

    def _finish(self, job_id: str, outcome: Result | Failure) -> Status:
        """Write down how the job ended, unless it had: canceled while it was worked on, mostly."""
        if self._queue.finish(job_id, outcome):
            return Status.FAILED if isinstance(outcome, Failure) else Status.SUCCEEDED
        return self._queue.read(job_id).status


def _alike(views: Sequence[JobView]) -> Request:
    """What stands for all in a pass: where photos differ in size, one without."""
    first = views[0].request
    sizes = {view.request.photo_pixels for view in views}
    return first if len(sizes) == 1 else replace(first, photo_pixels=None)


def _figures(outcome: Result | Failure, status: Status) -> dict[str, Any]:
    """How a job ended, as logs and traces tell it: what came of the pass, where the job ended with
    it; `reason` only of one that failed.
    """
    if isinstance(outcome, Failure):
        reason = {"reason": outcome.title} if status is Status.FAILED else {}
        return {"status": status.value, **reason}
    times = {name: round(value, 4) for name, value in asdict(outcome.metrics).items()}
    return {"status": status.value, **times}
