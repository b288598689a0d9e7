"""POST /masks: take a picture, have the object in it found."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response, status

from app.deps import All, WaitSeconds
from app.errors import NoAnswer, RefusedAddress, Unavailable, responses
from app.forms import MaskForm
from app.given import given
from app.routes.images import REFUSALS
from app.routes.submissions import answer, check_room
from app.schemas.jobs import Job
from app.terms import Asked
from models.registry import OBJECT_FINDER, Task
from worker.crops import check_crop
from worker.messages import Request

router = APIRouter(tags=["edits"])


def _submit(
    services: All, asked: Asked, form: Annotated[MaskForm, Form(media_type="multipart/form-data")]
) -> str:
    """Check everything, then keep the picture, then queue the job; a refusal leaves nothing."""
    terms = asked.with_body(form)
    if terms.key and (earlier := services.queue.earlier(terms.key)):
        return earlier
    photo = given(services, "image", form.image, form.image_id, form.image_url)
    if form.crop:
        check_crop(form.crop, *photo.size)
    check_room(services)
    request = Request(
        Task.MASK, OBJECT_FINDER, caption="", image_id=photo.keep(services), crop=form.crop
    )
    return services.queue.submit(request, terms=terms)


@router.post(
    "/masks",
    operation_id="findObject",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The job, to be asked for again at `Location`.",
    responses={
        200: {"model": Job, "description": "With `Prefer: wait=N`: the finished job."},
        **responses(*REFUSALS, RefusedAddress, NoAnswer, Unavailable),
    },
)
async def find_object(
    services: All,
    job_id: Annotated[str, Depends(_submit)],
    wait_s: WaitSeconds,
    response: Response,
) -> Job:
    """Find the object that stands out in a picture, as a mask for `POST /manipulate`.

    The answer is the job: its one output is a picture of the photo's size, white where the object
    is, black elsewhere and outside the crop; all black where nothing stands out.
    """
    return await answer(services, job_id, wait_s, response)
