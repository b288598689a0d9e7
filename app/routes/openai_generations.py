"""POST /v1/images/generations: as OpenAI's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from app.deps import All
from app.errors import BadRequest, ContentTooLarge, Gone, InvalidRequest, Unavailable, responses
from app.openai import Drawing, Images, Place, answer
from app.routes.submissions import check_room, read_wish
from models.registry import Task
from worker.queue import Terms

router = APIRouter(tags=["openai"])


def _submit(request: Request, services: All, body: Drawing, _place: Place) -> str:
    """Check everything, then queue the job."""
    wanted = read_wish(services, body.wish(), Task.GENERATE)
    check_room(services)
    return services.queue.submit(wanted, terms=Terms(request.state.request_id))


@router.post(
    "/v1/images/generations",
    operation_id="createImage",
    response_description="The pictures.",
    responses=responses(BadRequest, ContentTooLarge, Gone, InvalidRequest, Unavailable),
)
async def create_image(
    request: Request, services: All, job_id: Annotated[str, Depends(_submit)], body: Drawing
) -> Images:
    """Draw what the prompt says, for clients that speak to OpenAI: change their base URL.

    Where a `size` is given the picture comes as `b64_json`, enlarged.
    """
    return await answer(services, body, job_id, str(request.base_url), side=body.side)
