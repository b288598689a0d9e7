"""POST /generate: take a caption, check it, put the work on the queue."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response, status

from app.deps import All, WaitSeconds
from app.errors import BadRequest, ContentTooLarge, InvalidRequest, Unavailable, responses
from app.forms import GenerationBody
from app.routes.submissions import UNTOLD, answer, check_room, check_webhook, read_wish
from app.schemas.jobs import Job
from app.terms import Asked
from models.registry import Task

router = APIRouter(tags=["generations"])


def _submit(services: All, asked: Asked, body: GenerationBody) -> str:
    """Check everything, then queue the job."""
    terms = asked.with_body(body)
    if terms.key and (earlier := services.queue.earlier(terms.key)):
        return earlier
    check_webhook(services, terms)
    request = read_wish(services, body, Task.GENERATE)
    check_room(services)
    return services.queue.submit(request, terms=terms)


@router.post(
    "/generate",
    operation_id="generate",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The job, to be asked for again at `Location`.",
    responses={
        200: {"model": Job, "description": "With `Prefer: wait=N`: the finished job."},
        **responses(BadRequest, ContentTooLarge, InvalidRequest, *UNTOLD, Unavailable),
    },
)
async def generate(
    services: All,
    job_id: Annotated[str, Depends(_submit)],
    wait_s: WaitSeconds,
    response: Response,
) -> Job:
    """Draw what the caption says, from words alone.

    The answer is the job: 202 with its address in `Location`, to be asked again; or, where the
    request says `Prefer: wait=N`, 200 with the finished job if N seconds suffice.
    """
    return await answer(services, job_id, wait_s, response)
