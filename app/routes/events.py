"""GET /jobs/{id}/events: how a job goes on, told while it does, as server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated

from anyio import WouldBlock, to_thread
from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.deps import All
from app.errors import InvalidRequest, NotFound, Unavailable, responses
from app.routes.jobs import JobId, describe
from app.schemas.jobs import JobEvent
from worker.events import ID_PATTERN, START, await_events_async
from worker.queue import JobView

router = APIRouter(prefix="/jobs/{job_id}", tags=["jobs"])

_SLICE_S = 2.0  # between two looks at a job that waits: its place changes, and nobody tells of it
_RETRY_MS = 1000  # when a client that was cut off should come again


async def _existing(services: All, job_id: JobId) -> JobView:
    """Refusals must come before the stream begins."""
    return await to_thread.run_sync(services.queue.read, job_id)


async def _seat(services: All) -> AsyncIterator[None]:
    """One of the streams that may be open at a time, each of which holds a connection."""
    borrower = object()
    try:
        services.followers.acquire_on_behalf_of_nowait(borrower)
    except WouldBlock:
        raise Unavailable("too many clients follow jobs already: ask for the job itself") from None
    try:
        yield
    finally:
        services.followers.release_on_behalf_of(borrower)


@router.get(
    "/events",
    operation_id="followJob",
    response_class=EventSourceResponse,
    response_description="Events until the job has ended. Their `data` is a `JobEvent`.",
    responses=responses(NotFound, InvalidRequest, Unavailable),
    dependencies=[Depends(_seat)],
)
async def follow_job(
    services: All,
    job: Annotated[JobView, Depends(_existing)],
    last_event_id: Annotated[
        str, Header(pattern=ID_PATTERN, description="Of the last event that you have.")
    ] = START,
) -> AsyncIterator[ServerSentEvent]:
    """The job's events from the first, or after `Last-Event-ID`, until it has ended.

    `status` events tell of a new stage or of progress and have an id to go on after; `position`
    events, without an id, of a new place in the queue. `ended` is the last, and has the whole job:
    close the stream then. In between come comments, so that nobody takes the line for dead.
    """
    view, position, last, slice_s = job, None, last_event_id, 0.0
    while True:
        for event in await await_events_async(
            services.streams, job.id, after=last, timeout_s=slice_s
        ):
            last = event.id
            if not event.status.is_final:
                yield _event("status", JobEvent.of(event.status, event.progress), event.id)
        if view.status.is_final:
            break
        if services.leaving.is_set():  # the client comes again with the last event's id
            return
        if view.queue_position not in (None, position):
            position = view.queue_position
            left_s = await to_thread.run_sync(services.queue.seconds_left, view)
            place = JobEvent.of(view.status, 0.0, queue_position=position, eta_s=left_s)
            yield _event("position", place)
        view, slice_s = await to_thread.run_sync(services.queue.read, job.id), _SLICE_S
    whole = await to_thread.run_sync(describe, services, view)
    yield _event("ended", JobEvent.of(view.status, view.progress, job=whole))


def _event(kind: str, data: JobEvent, event_id: str | None = None) -> ServerSentEvent:
    return ServerSentEvent(event=kind, id=event_id, data=data, retry=_RETRY_MS)
