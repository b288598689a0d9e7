"""What is told of jobs and batches that have ended, and the thread that sends it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from app.deps import Services
from app.routes.jobs import describe
from app.schemas.batches import Batch
from app.schemas.jobs import Job
from app.webhooks import Secret, Sender
from worker.batch_records import BatchView, UnknownBatch
from worker.queue import JobView, Status, UnknownJob
from worker.records import now

_NAMES = {Status.SUCCEEDED: "completed"}  # of events; the others are called as the status


@contextmanager
def sending(services: Services) -> Iterator[None]:
    """Meanwhile webhooks are sent, unless they are off here."""
    settings, stop = services.settings, Event()
    sender = Sender(
        services.outbox,
        services.outbound,
        lambda subject: compose(services, subject),
        Secret(settings),
        timeout_s=settings.webhook_timeout_s,
        patience_s=settings.webhook_patience_s,
    )
    thread = Thread(target=sender.run, args=(stop,), name="webhooks")
    if settings.webhooks:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if settings.webhooks:
            thread.join()


def compose(services: Services, subject: str) -> str | None:
    """The message about a job or a batch, None if that has not ended, or is forgotten."""
    kind, _, subject_id = subject.partition(":")
    view: JobView | BatchView
    try:
        if kind == "job":
            view = services.queue.read(subject_id)
        else:
            view = services.batches.read(subject_id)
    except (UnknownJob, UnknownBatch):
        return None
    if not view.status.is_final:
        return None
    data: Job | Batch = describe(services, view) if isinstance(view, JobView) else Batch.of(view)
    told: dict[str, Any] = {
        "type": f"{kind}.{_NAMES.get(view.status, view.status.value)}",
        "timestamp": (view.finished_at or now()).isoformat(),
        "data": data.model_dump(mode="json", exclude={"webhook"}),
    }
    return json.dumps(told)
