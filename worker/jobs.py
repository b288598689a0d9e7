"""What a worker does with a job, and the short list of names that it answers to.

RQ finds a job's function by importing the name it carries, so whoever can write to the queue could
run `os.system`. Here a name is only looked up in a table, and nothing else that a job may carry
(callbacks, webhooks, a bound instance) is followed.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from rq.job import Job, JobStatus

from models.checkpoint import BadCheckpoint
from worker.engine import Engine
from worker.loading import ModelPool, UnknownModel
from worker.messages import Failure, Result
from worker.queue import JobQueue, QueueDown, Status

_log = logging.getLogger(__name__)


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
    """Takes a job from its record through the engine to its end."""

    def __init__(self, queue: JobQueue, models: ModelPool, engine: Engine) -> None:
        self._queue = queue
        self._models = models
        self._engine = engine

    def run(self, job_id: str) -> None:
        """Do the job, unless it has ended: canceled while it waited, or done by a worker that
        died before it could say so to RQ.
        """
        job = self._queue.read(job_id)
        if job.status.is_final:
            return
        waited = datetime.now(UTC) - job.created_at
        self._queue.mark(job_id, Status.STARTING)
        load_s = self._load(job.request.model)
        self._queue.mark(job_id, Status.PROCESSING)
        [outcome] = self._engine.run([job.request], lambda index: self._is_canceled(job_id))
        if isinstance(outcome, Result):
            metrics = replace(outcome.metrics, queue_s=waited.total_seconds(), load_s=load_s)
            outcome = replace(outcome, metrics=metrics)
        self._queue.finish(job_id, outcome)
        if isinstance(outcome, Result):
            seconds, pictures = outcome.metrics.predict_s, job.request.pictures
            self._queue.note_pace(job.request, seconds=seconds, pictures=pictures)
        _log.info("job %s: %s", job_id, _summary(outcome))

    def give_up(self, job_id: str, limit_s: float) -> None:
        """End a job that takes longer than it may."""
        detail = f"The job took longer than the {limit_s:g} s that one may take, and was stopped."
        if self._queue.finish(job_id, Failure("The job took too long", detail)):
            _log.error("job %s: stopped after %g s", job_id, limit_s)

    def _is_canceled(self, job_id: str) -> bool:
        """Whether somebody ended the job; while the queue is away, nobody can have."""
        try:
            return self._queue.has_ended(job_id)
        except QueueDown:
            return False

    def _load(self, model_id: str) -> float:
        """Get the model into memory and say how long that took, in seconds."""
        started = perf_counter()
        with suppress(UnknownModel, BadCheckpoint):  # the engine tells the person who asked
            self._models.get(model_id)
        return perf_counter() - started


def _summary(outcome: Result | Failure) -> str:
    if isinstance(outcome, Failure):
        return f"failed: {outcome.title}"
    return f"done in {outcome.metrics.predict_s:.3f} s"
