"""GET /jobs/{id} and its pictures: how a job stands and what came of it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response, status

from app.deps import All, Files, Queue, Services
from app.errors import Gone, InvalidRequest, NotFound, Unavailable, responses
from app.schemas import Job
from worker.messages import OutputFile
from worker.queue import JobView, Status
from worker.store import Store

router = APIRouter(prefix="/jobs/{job_id}", tags=["jobs"])

JobId = Annotated[str, Path(max_length=64, description="As given in `Location`.")]
Number = Annotated[int, Path(ge=0, le=999, description="Which output, from 0.")]
KnownTags = Annotated[str, Header(alias="If-None-Match")]

_ABOUT_A_JOB = responses(NotFound, InvalidRequest, Unavailable)
_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_ABOUT_A_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": dict.fromkeys(("image/png", "image/jpeg", "image/webp"), _PICTURE)},
    304: {"description": "The picture is the one that the client has."},
    **responses(NotFound, Gone, InvalidRequest, Unavailable),
}


@router.get("", operation_id="readJob", response_description="The job.", responses=_ABOUT_A_JOB)
def read_job(services: All, job_id: JobId, response: Response) -> Job:
    """The job as it stands."""
    response.headers["Cache-Control"] = "no-store"
    return describe(services, services.queue.read(job_id))


@router.post(
    "/cancel", operation_id="cancelJob", response_description="The job.", responses=_ABOUT_A_JOB
)
def cancel_job(services: All, job_id: JobId) -> Job:
    """Stop the job if it has not ended; the answer is how it stands after that."""
    return describe(services, services.queue.cancel(job_id))


@router.get(
    "/outputs/{number}/image",
    operation_id="readOutputImage",
    response_class=Response,
    response_description="The picture.",
    responses=_ABOUT_A_PICTURE,
)
def read_output_image(
    queue: Queue, store: Files, job_id: JobId, number: Number, known_tags: KnownTags = ""
) -> Response:
    """The finished picture, at full resolution unless a preview was asked for."""
    view = queue.read(job_id)
    file = _output(view, number)
    return _picture(store, file.image, file.media_type, f"{view.id}-{number}", view, known_tags)


@router.get(
    "/outputs/{number}/network-image",
    operation_id="readNetworkImage",
    response_class=Response,
    response_description="The picture.",
    responses=_ABOUT_A_PICTURE,
)
def read_network_image(
    queue: Queue, store: Files, job_id: JobId, number: Number, known_tags: KnownTags = ""
) -> Response:
    """What the network itself answered, at its own small size."""
    view = queue.read(job_id)
    key = _output(view, number).network_image
    return _picture(store, key, "image/png", f"{view.id}-{number}-network", view, known_tags)


def describe(services: Services, view: JobView) -> Job:
    """The job with the words of its caption that its model never saw."""
    return Job.of(view, services.models.unknown_words(view.request.caption, view.request.model))


def _output(view: JobView, number: int) -> OutputFile:
    if view.status is Status.EXPIRED:
        raise Gone("the job's pictures are no longer kept: ask for them again")
    if view.result is None:
        raise NotFound(f"the job is {view.status}, it has no pictures")
    if number >= (count := len(view.result.outputs)):
        raise NotFound(f"the job has no such output, wanted one from 0 to {count - 1}")
    return view.result.outputs[number]


def _picture(
    store: Store, key: str, media_type: str, name: str, view: JobView, known_tags: str
) -> Response:
    """The stored file, which never changes, so that its name will do for a tag."""
    left = view.expires_at - datetime.now(UTC) if view.expires_at else timedelta()
    kind = media_type.removeprefix("image/").replace("jpeg", "jpg")
    headers = {
        "ETag": f'"{name}"',
        "Cache-Control": f"private, max-age={int(left.total_seconds())}, immutable",
        "Content-Disposition": f'inline; filename="wordbrush-{name}.{kind}"',
    }
    if headers["ETag"] in (tag.strip().removeprefix("W/") for tag in known_tags.split(",")):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(store.get(key), media_type=media_type, headers=headers)
