"""POST /v1/images/generations: as OpenAI's."""

from fastapi import APIRouter, Request

from app.deps import All
from app.errors import BadRequest, ContentTooLarge, InvalidRequest, Unavailable, responses
from app.openai import Drawing, Images, answer
from app.routes.submissions import check_room, read_wish
from models.registry import Task
from worker.queue import Terms

router = APIRouter(tags=["openai"])


@router.post(
    "/v1/images/generations",
    operation_id="createImage",
    response_description="The pictures.",
    responses=responses(BadRequest, ContentTooLarge, InvalidRequest, Unavailable),
)
def create_image(request: Request, services: All, body: Drawing) -> Images:
    """Draw what the prompt says, for clients that speak to OpenAI: change their base URL.

    Where a `size` is given the picture comes as `b64_json`, enlarged.
    """
    side = body.side
    wanted = read_wish(services, body.wish(), Task.GENERATE)
    check_room(services)
    job_id = services.queue.submit(wanted, terms=Terms(request.state.request_id))
    return answer(services, body, job_id, str(request.base_url), side=side)
