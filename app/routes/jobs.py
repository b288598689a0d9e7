"""GET /jobs/{id} and its pictures: how a job stands and what came of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Header, Path, Query, Response, status

from app.deps import All, Files, Queue, Services
from app.errors import Gone, InvalidRequest, NotFound, Unavailable, responses
from app.schemas.jobs import Job
from worker import animation, heatmaps
from worker.messages import OutputFile, Result
from worker.queue import JobView, Status

router = APIRouter(prefix="/jobs/{job_id}", tags=["jobs"])

JobId = Annotated[str, Path(max_length=64, description="As given in `Location`.")]
Number = Annotated[int, Path(ge=0, le=999, description="Which output, from 0.")]
Stage = Annotated[int, Path(ge=0, le=9, description="Which stage, from 0.")]
WordNumber = Annotated[int, Path(ge=0, le=999, description="Its place in `words`, from 0.")]
KnownTags = Annotated[str, Header(alias="If-None-Match")]

_ABOUT_A_JOB = responses(NotFound, InvalidRequest, Unavailable)
T = TypeVar("T")

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
    name = f"{view.id}-{number}"
    return _picture(lambda: store.get(file.image), file.media_type, name, view, known_tags)


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
    key, name = _output(view, number).network_image, f"{view.id}-{number}-network"
    return _picture(lambda: store.get(key), "image/png", name, view, known_tags)


@router.get(
    "/outputs/{number}/stages/{stage}",
    operation_id="readStage",
    response_class=Response,
    response_description="The picture.",
    responses=_ABOUT_A_PICTURE,
)
def read_stage(
    queue: Queue,
    store: Files,
    job_id: JobId,
    number: Number,
    stage: Stage,
    known_tags: KnownTags = "",
) -> Response:
    """What the network drew on its way to the last picture, smallest first."""
    view = queue.read(job_id)
    key = _nth(_output(view, number).stages, stage, "stage")
    name = f"{view.id}-{number}-stage-{stage}"
    return _picture(lambda: store.get(key), "image/png", name, view, known_tags)


@router.get(
    "/outputs/{number}/heatmaps/{stage}/{word}",
    operation_id="readHeatmap",
    response_class=Response,
    response_description="The heatmap, grey, white where the word counted most.",
    responses=_ABOUT_A_PICTURE,
)
def read_heatmap(
    queue: Queue,
    store: Files,
    job_id: JobId,
    number: Number,
    stage: Stage,
    word: WordNumber,
    known_tags: KnownTags = "",
) -> Response:
    """Where one word of the caption looked while a stage was drawn."""
    view = queue.read(job_id)
    heatmap = _nth(_output(view, number).heatmaps, stage, "stage with heatmaps")
    _nth(heatmap.strengths, word, "word")
    name = f"{view.id}-{number}-heatmap-{stage}-{word}"

    def read() -> bytes:
        return heatmaps.cut(store.get(heatmap.file), word, len(heatmap.strengths))

    return _picture(read, "image/png", name, view, known_tags)


@router.get(
    "/animation",
    operation_id="readAnimation",
    response_class=Response,
    response_description="The animated picture.",
    responses={
        **_ABOUT_A_PICTURE,
        200: {"content": dict.fromkeys(("image/webp", "image/gif"), _PICTURE)},
    },
)
def read_animation(
    queue: Queue,
    store: Files,
    job_id: JobId,
    format: Annotated[Literal["webp", "gif"], Query(description="Of the file.")] = "webp",
    known_tags: KnownTags = "",
) -> Response:
    """All steps of an interpolation, there and back, at most 512 pixels on the long side."""
    view = queue.read(job_id)
    if (key := _result(view).animation) is None:
        raise NotFound("the job is no interpolation, it has no animation")
    name, media_type = f"{view.id}-animation-{format}", f"image/{format}"

    def read() -> bytes:
        return animation.to_gif(store.get(key)) if format == "gif" else store.get(key)

    return _picture(read, media_type, name, view, known_tags)


def describe(services: Services, view: JobView) -> Job:
    """The job with the words of its captions that its model never saw."""
    asked = view.request
    captions = " ".join(filter(None, (asked.caption, asked.caption_to)))
    unknown = services.models.unknown_words(captions, asked.model)
    return Job.of(view, unknown, eta_s=services.queue.seconds_left(view))


def _output(view: JobView, number: int) -> OutputFile:
    return _nth(_result(view).outputs, number, "output")


def _result(view: JobView) -> Result:
    if view.status is Status.EXPIRED:
        raise Gone("the job's pictures are no longer kept: ask for them again")
    if view.result is None:
        raise NotFound(f"the job is {view.status}, it has no pictures")
    return view.result


def _nth(items: Sequence[T], number: int, what: str) -> T:
    if number >= (count := len(items)):
        there = f"wanted one from 0 to {count - 1}" if count else "there is none"
        raise NotFound(f"the job has no such {what}, {there}")
    return items[number]


def _picture(
    read: Callable[[], bytes], media_type: str, name: str, view: JobView, known_tags: str
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
    return Response(read(), media_type=media_type, headers=headers)
