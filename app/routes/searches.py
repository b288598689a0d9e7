"""GET and POST /search: pictures that are like one, but as words say."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Response, UploadFile, status

from app.deps import All, Services, WaitSeconds
from app.errors import BadRequest, InvalidRequest, Unavailable, responses
from app.forms import SearchForm, SearchQuery
from app.routes.images import REFUSALS
from app.routes.submissions import answer, check_room, check_words
from app.schemas.jobs import Job
from app.terms import Asked
from models.registry import Task
from worker.crops import check_crop
from worker.messages import Candidate, Request
from worker.queue import Terms, UnknownJob
from worker.store import NotStored

router = APIRouter(prefix="/search", tags=["searches"])

_FINISHED: dict[int | str, dict[str, Any]] = {
    200: {"model": Job, "description": "With `Prefer: wait=N`: the finished job."}
}


def _ask(services: All, asked: Asked, query: Annotated[SearchQuery, Query()]) -> str:
    return _submit(services, query, asked.with_body(query))


def _ask_with_photo(
    services: All,
    asked: Asked,
    form: Annotated[SearchForm, Form(media_type="multipart/form-data")],
) -> str:
    if form.image and form.image_id:
        raise InvalidRequest.of("image", "wanted a file here or an image_id, and not both")
    return _submit(services, form, asked.with_body(form), form.image)


@router.get(
    "",
    operation_id="search",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The job, to be asked for again at `Location`.",
    responses=_FINISHED | responses(BadRequest, InvalidRequest, Unavailable),
)
async def search(
    services: All, job_id: Annotated[str, Depends(_ask)], wait_s: WaitSeconds, response: Response
) -> Job:
    """Find pictures like a stored one, but as the caption says; or like one of the two.

    Looked through are the library of this service and the pictures that `among` names, and nothing
    else that anybody has uploaded. The answer is the job, whose `matches` are there when it has
    ended.
    """
    response.headers["Cache-Control"] = "no-store"
    return await answer(services, job_id, wait_s, response)


@router.post(
    "",
    operation_id="searchWithPhoto",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The job, to be asked for again at `Location`.",
    responses=_FINISHED | responses(*REFUSALS, Unavailable),
)
async def search_with_photo(
    services: All,
    job_id: Annotated[str, Depends(_ask_with_photo)],
    wait_s: WaitSeconds,
    response: Response,
) -> Job:
    """The same for a photo that is sent along; it is kept, and the job tells its `image_id`."""
    return await answer(services, job_id, wait_s, response)


def _submit(
    services: Services, query: SearchQuery, terms: Terms, image: UploadFile | None = None
) -> str:
    """Check everything, then keep the picture, then queue the job; a refusal leaves nothing."""
    if terms.key and (earlier := services.queue.earlier(terms.key)):
        return earlier
    model = services.models.find(query.model, Task.SEARCH).id
    caption = query.caption or ""
    if caption:
        check_words(services, caption, model, "caption")
    upload = services.uploads.read(image) if image else None
    size = upload.size if upload else _size(services, query.image_id)
    if not caption and size is None:
        raise InvalidRequest.of("caption", "wanted words, or a picture, or both")
    if query.crop and size is None:
        raise InvalidRequest.of("crop", "there is no picture that it could be of")
    if query.crop and size:
        check_crop(query.crop, *size)
    among = tuple(_candidate(services, name) for name in dict.fromkeys(query.among))
    check_room(services)
    request = Request(
        task=Task.SEARCH,
        model=model,
        caption=caption,
        image_id=services.uploads.keep(upload) if upload else query.image_id,
        crop=query.crop,
        limit=query.limit,
        among=among,
    )
    return services.queue.submit(request, terms=terms)


def _size(services: Services, image_id: str | None) -> tuple[int, int] | None:
    if image_id is None:
        return None
    try:
        return services.uploads.size(image_id)
    except NotStored:
        message = "no picture is kept under this id, or no longer: upload it again"
        raise InvalidRequest.of("image_id", message) from None


def _candidate(services: Services, name: str) -> Candidate:
    """The stored picture that an upload's id or the link of a job's output means."""
    try:
        if not name.startswith("/"):
            services.uploads.entry(name)
            return Candidate(name, name)
        _, _, job_id, _, number, _ = name.split("/")
        result = services.queue.read(job_id).result
        file_id = result.outputs[int(number)].image if result else ""
        services.store.entry(file_id)
    except (NotStored, UnknownJob, IndexError):
        raise InvalidRequest.of(
            "among", "one of these pictures is not kept, or no longer"
        ) from None
    return Candidate(name, file_id)
