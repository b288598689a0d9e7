"""POST /manipulate: take a picture and a caption, check them, put the work on the queue."""

from dataclasses import replace
from math import prod
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response, status

from app.deps import All, WaitSeconds
from app.errors import InvalidRequest, Unavailable, responses
from app.forms import EditForm
from app.given import GivenPhoto, given
from app.routes.images import REFUSALS
from app.routes.submissions import UNTOLD, answer, check_room, check_webhook, read_wish
from app.schemas.jobs import Job
from app.terms import Asked
from app.uploads import Picture
from models.registry import Task
from worker.crops import check_crop

router = APIRouter(tags=["edits"])


def _submit(
    services: All, asked: Asked, form: Annotated[EditForm, Form(media_type="multipart/form-data")]
) -> str:
    """Check everything, then keep the pictures, then queue the job; a refusal leaves nothing."""
    terms = asked.with_body(form)
    if terms.key and (earlier := services.queue.earlier(terms.key)):
        return earlier
    check_webhook(services, terms)
    has_end = form.image_to is not None or form.image_id_to is not None
    request = read_wish(services, form, Task.MANIPULATE, to_photo=has_end)
    photo = given(services, "image", form.image, form.image_id, form.image_url)
    end = given(services, "image_to", form.image_to, form.image_id_to) if has_end else None
    mask = services.uploads.read(form.mask, "mask") if form.mask else None
    if mask:
        _check_mask(mask, photo, end)
    if form.crop:
        check_crop(form.crop, *photo.size)
    check_room(services)
    with_pictures = replace(
        request,
        image_id=photo.keep(services),
        image_id_to=end.keep(services) if end else None,
        mask_id=services.uploads.keep(mask) if mask else None,
        crop=form.crop,
        full_resolution=form.full_resolution,
        photo_pixels=prod(photo.size),
    )
    return services.queue.submit(with_pictures, terms=terms)


@router.post(
    "/manipulate",
    operation_id="manipulate",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The job, to be asked for again at `Location`.",
    responses={
        200: {"model": Job, "description": "With `Prefer: wait=N`: the finished job."},
        **responses(*REFUSALS, *UNTOLD, Unavailable),
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


def _check_mask(mask: Picture, photo: GivenPhoto, end: GivenPhoto | None) -> None:
    wanted = f"wanted the photo's {_pixels(photo.size)}"
    if mask.size != photo.size:
        raise InvalidRequest.of("mask", f"{_pixels(mask.size)}, {wanted}")
    if end and mask.size != end.size:
        raise InvalidRequest.of("mask", f"the photos differ in size, {wanted} for both, or no mask")


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]} pixels"
