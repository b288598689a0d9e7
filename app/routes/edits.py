"""POST /manipulate: take a picture and a caption, check them, put the work on the queue."""

from secrets import randbelow
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Form, Response, status

from app.deps import All, Services, WaitSeconds
from app.errors import InvalidRequest, Unavailable, responses
from app.forms import MAX_SEED, EditForm
from app.routes.images import REFUSALS
from app.routes.jobs import describe
from app.schemas import Job
from app.uploads import Picture
from models.registry import Task
from models.text.vocabulary import tokenize
from worker.messages import Request
from worker.pictures import check_crop
from worker.queue import JobView, QueueFull
from worker.store import NotStored

router = APIRouter(tags=["edits"])

_MAX_SUGGESTIONS = 6
_RETRY_AFTER_S = 1  # when to look at an unfinished job again


def _submit(
    services: All, form: Annotated[EditForm, Form(media_type="multipart/form-data")]
) -> str:
    """Check everything, then keep the pictures, then queue the job; a refusal leaves nothing."""
    model = services.models.find(form.model, Task.MANIPULATE).id
    _check_words(services, form.caption, model)
    upload, size = _photo(services, form)
    mask = services.uploads.read(form.mask) if form.mask else None
    if mask and mask.size != size:
        raise InvalidRequest.of("mask", f"{_pixels(mask.size)}, wanted the photo's {_pixels(size)}")
    if form.crop:
        check_crop(form.crop, *size)
    if services.queue.depth() >= services.settings.max_queue:
        raise QueueFull("too many jobs wait")
    request = Request(
        task=Task.MANIPULATE,
        model=model,
        caption=form.caption,
        seed=randbelow(MAX_SEED + 1) if form.seed is None else form.seed,
        variations=form.variations,
        image_id=services.uploads.keep(upload) if upload else form.image_id,
        mask_id=services.uploads.keep(mask) if mask else None,
        crop=form.crop,
        full_resolution=form.full_resolution,
        format=form.format,
    )
    return services.queue.submit(request)


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
    view = await _view(services, job_id, wait_s, response)
    job = describe(services, view)
    response.headers["Location"] = job.links.self
    if view.status.is_final:
        response.status_code = status.HTTP_200_OK
    else:
        response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return job


async def _view(services: Services, job_id: str, wait_s: int | None, response: Response) -> JobView:
    """The job, at its end if the client would wait and a thread to wait with is free."""
    if wait_s is None or services.waiters.available_tokens < 1:
        return await to_thread.run_sync(services.queue.read, job_id)
    response.headers["Preference-Applied"] = f"wait={wait_s}"
    return await to_thread.run_sync(
        services.queue.wait, job_id, wait_s, limiter=services.waiters, abandon_on_cancel=True
    )


def _check_words(services: Services, caption: str, model: str) -> None:
    """Refuse a caption of which the model knows no word at all; one unknown word is no harm."""
    unknown = services.models.unknown_words(caption, model)
    if len(unknown) == len(set(tokenize(caption))):
        nearest = dict.fromkeys(word for one in unknown for word in one.nearest)
        offered = list(nearest) or list(services.models.find(model).examples)
        raise InvalidRequest.of(
            "caption",
            "the model knows none of these words, wanted at least one that it knows",
            suggestions=offered[:_MAX_SUGGESTIONS],
        )


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
