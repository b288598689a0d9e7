"""POST /manipulate: take a picture and a caption, check them, put the work on the queue."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response, UploadFile, status

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
    has_end = form.image_to is not None or form.image_id_to is not None
    request = read_wish(services, form, Task.MANIPULATE, to_photo=has_end)
    photo = _photo(services, "image", form.image, form.image_id)
    end = _photo(services, "image_to", form.image_to, form.image_id_to) if has_end else None
    mask = services.uploads.read(form.mask) if form.mask else None
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


@dataclass(frozen=True)
class _Photo:
    """A photo that is kept, or will be."""

    size: tuple[int, int]  # width and height in pixels
    image_id: str | None  # of one that is kept
    upload: Picture | None  # a new one

    def keep(self, services: Services) -> str | None:
        """Its id, from now on at the latest."""
        return services.uploads.keep(self.upload) if self.upload else self.image_id


def _photo(services: Services, field: str, file: UploadFile | None, image_id: str | None) -> _Photo:
    """The photo in the form's `field`, or the one with the id that stands for it."""
    id_field = field.replace("image", "image_id")
    if (file is None) == (image_id is None):
        raise InvalidRequest.of(field, f"wanted either a file here or an {id_field}, and not both")
    if file:
        upload = services.uploads.read(file)
        return _Photo(upload.size, None, upload)
    try:
        return _Photo(services.uploads.size(image_id or ""), image_id, None)
    except NotStored:
        message = "no picture is kept under this id, or no longer: upload it again"
        raise InvalidRequest.of(id_field, message) from None


def _check_mask(mask: Picture, photo: _Photo, end: _Photo | None) -> None:
    wanted = f"wanted the photo's {_pixels(photo.size)}"
    if mask.size != photo.size:
        raise InvalidRequest.of("mask", f"{_pixels(mask.size)}, {wanted}")
    if end and mask.size != end.size:
        raise InvalidRequest.of("mask", f"the photos differ in size, {wanted} for both, or no mask")


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]} pixels"
