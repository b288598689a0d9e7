"""POST /jobs/{id}/retry: what came to nothing is asked for again, as it was asked for."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, status

from app.access import check_tasks
from app.deps import All, Services, WaitSeconds
from app.errors import Conflict, Gone, InvalidRequest, NotFound, Unavailable, responses
from app.routes.jobs import JobId
from app.routes.submissions import answer, check_room
from app.schemas.jobs import Job
from app.terms import Asked
from models.registry import Task
from worker import messages
from worker.queue import Status
from worker.store import NotStored

router = APIRouter(prefix="/jobs/{job_id}", tags=["jobs"])

_CAME_TO_NOTHING = (Status.FAILED, Status.CANCELED, Status.EXPIRED)


def _submit(services: All, asked: Asked, http: Request, job_id: JobId) -> str:
    """Check that it can be done again, then queue it; a refusal leaves nothing."""
    terms = asked.with_body(None)
    if terms.key and (earlier := services.queue.earlier(terms.key)):
        return earlier
    view = services.queue.read(job_id)
    check_tasks(http, [view.request.task])
    if view.status not in _CAME_TO_NOTHING:
        wanted = ", ".join(_CAME_TO_NOTHING)
        raise Conflict(f"the job is {view.status}, wanted one that is one of: {wanted}")
    if view.request.task is not Task.MASK:  # whose network every worker has
        services.models.find(view.request.model, view.request.task)
    _check_sources(services, view.request)
    check_room(services)
    if view.delivery and services.settings.webhooks:
        terms = replace(terms, webhook=view.delivery.url)
    return services.queue.submit(view.request, terms=terms)


@router.post(
    "/retry",
    operation_id="retryJob",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The new job, to be asked for again at `Location`.",
    responses={
        200: {"model": Job, "description": "With `Prefer: wait=N`: the finished job."},
        **responses(NotFound, Conflict, Gone, InvalidRequest, Unavailable),
    },
)
async def retry_job(
    services: All,
    new_id: Annotated[str, Depends(_submit)],
    wait_s: WaitSeconds,
    response: Response,
) -> Job:
    """Ask for a job anew that failed, was canceled or has expired: for the same pictures, crop,
    mask, words, model and seed. The answer is the new job, as for `POST /manipulate`; where the
    old one had a webhook, that is told of the new one's end too.

    410 where a picture that it began from is no longer kept.
    """
    return await answer(services, new_id, wait_s, response)


def _check_sources(services: Services, asked: messages.Request) -> None:
    for file_id in _sources(asked):
        try:
            services.store.entry(file_id)
        except NotStored:
            raise Gone(
                "a picture that the job began from is no longer kept: upload it again, and ask "
                "for a new job"
            ) from None


def _sources(asked: messages.Request) -> Iterator[str]:
    """Ids of the stored files that it begins from."""
    yield from filter(None, (asked.image_id, asked.image_id_to, asked.mask_id))
    yield from (candidate.file_id for candidate in asked.among)
