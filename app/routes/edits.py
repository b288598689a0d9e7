"""POST /manipulate: take a picture and a caption, check them, put the work on the queue."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response, status

from app.deps import All, Services, WaitSeconds
from app.errors import InvalidRequest, Unavailable, responses
from app.forms import EditForm
from app.routes.images import REFUSALS
from app.routes.submissions import answer, check_room, read_wish
from app.schemas import Job
from app.terms import Asked
from app.uploads import Picture
from models.registry import Task
from worker.pictures import check_crop
from worker.store import NotStored

router = APIRouter(tags=["edits"])


def _submit(
    services: All, asked: Asked, form: Annotated[EditForm, Form(media_type="multipart/form-data")]
) -> str:
    """Check everything, then keep the pictures, then queue the job; a refusal leaves nothing."""
    terms = asked.with_body(form)
    if terms.key and (earlier := services.queue.earlier(terms.key)):
        return earlier
    request = read_wish(services, form, Task.MANIPULATE)
    upload, size = _photo(services, form)
    mask = services.uploads.read(form.mask) if form.mask else None
    if mask and mask.size != size:
        raise InvalidRequest.of("mask", f"{_pixels(mask.size)}, wanted the photo's {_pixels(size)}")
    if form.crop:
        check_crop(form.crop, *size)
    check_room(services)
    with_pictures = replace(
        request,
        image_id=services.uploads.keep(upload) if upload else form.image_id,
        mask_id=services.uploads.keep(mask) if mask else None,
        crop=form.crop,
        full_resolution=form.full_resolution,
    )
    return services.queue.submit(with_pictures, terms=terms)


@router.post(
    "/manipulate",
    operation_id="manipulate",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The job, to be asked for again at `Location`.",
    responses={
        200: {"model": Job, "description": "With `Prefer: wait=N`: the finished job."},
        **responses(*REFUSALS, Unavailable),
    },
)
async def manipulate(
    services: All,
    job_id: Annotated[str, Depends(_submit)],
    wait_s: WaitSeconds,
    response: Response,
) -> Job:
    """Change what the caption names in a picture and keep the rest.

    The answer is the job: 202 with its address in `Location`, to be asked again; or, where the
    request says `Prefer: wait=N`, 200 with the finished job if N seconds suffice.
    """
    return await answer(services, job_id, wait_s, response)


def _photo(services: Services, form: EditForm) -> tuple[Picture | None, tuple[int, int]]:
    """The new upload, if it is one, and the photo's width and height."""
    if (form.image is None) == (form.image_id is None):
        raise InvalidRequest.of("image", "wanted either a file here or an image_id, and not both")
    if form.image:
        upload = services.uploads.read(form.image)
        return upload, upload.size
    try:
        return None, services.uploads.size(form.image_id or "")
    except NotStored:
        message = "no picture is kept under this id, or no longer: upload it again"
        raise InvalidRequest.of("image_id", message) from None


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]} pixels"
