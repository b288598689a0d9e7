"""POST /batches: many pictures at once, done when nobody waits; and what came of them so far."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Form, Path, Query, Request, Response, UploadFile, status
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.access import check_tasks
from app.batch_items import Draft, Lines
from app.batch_rows import check_names_pictures, read_rows
from app.deps import All, Services
from app.errors import (
    BadRequest,
    ContentTooLarge,
    Gone,
    InvalidRequest,
    NotFound,
    Unavailable,
    responses,
)
from app.forms import Seed, Told, Variations
from app.routes.submissions import UNTOLD, check_room, check_webhook
from app.schemas.batches import Batch, BatchItem, BatchItemList
from app.terms import Asked
from app.zipping import ZipStream
from worker.archives import BadArchive, list_entries
from worker.batch_records import BatchView, ItemView
from worker.idempotency import KeyReused
from worker.messages import OutputFile, Result
from worker.queue import QueueFull, Status, Terms
from worker.records import now
from worker.store import NotStored

router = APIRouter(prefix="/batches", tags=["batches"])

BatchId = Annotated[str, Path(max_length=64, description="As given in `Location`.")]
Number = Annotated[int, Path(ge=0, le=99_999, description="Which item, from 0.")]
OutputNumber = Annotated[int, Path(ge=0, le=999, description="Which of its pictures, from 0.")]

_ABOUT_A_BATCH = responses(NotFound, InvalidRequest, Unavailable)
_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_PAGE = 200  # items read at a time
_RETRY_AFTER_S = 2  # when to look at an unfinished batch again


class BatchForm(Told):
    """Lines, pictures, and what holds for each line that does not say otherwise."""

    items: UploadFile = Field(
        description="JSONL, or CSV with a header (semicolons or tabs will do), a line for each "
        "picture wanted, up to 10,000. Fields: "
        "`caption`, and optionally `id`, `image` (a name in `images`) or `image_id`, `model`, "
        "`seed`, `variations`, `crop`, `full_resolution`, `format`, `caption_to`, `image_to` or "
        "`image_id_to`, `steps`; others are not read. Without a picture one is drawn from the "
        "caption alone."
    )
    images: UploadFile | None = Field(
        None, description="A ZIP of JPEG, PNG and WebP, of which lines name at least one."
    )
    name: str | None = Field(None, max_length=200, description="Your own for the batch.")
    model: str | None = Field(None, max_length=100, description="An id of `GET /models`.")
    seed: Seed | None = None
    variations: Variations | None = None
    format: str | None = Field(None, pattern="^(png|jpeg|webp)$")
    full_resolution: bool | None = None

    def defaults(self) -> dict[str, Any]:
        told = {"items", "images", "name", "webhook"}
        return self.model_dump(exclude=told, exclude_none=True)


@router.post(
    "",
    operation_id="createBatch",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The batch, to be asked for again at `Location`.",
    responses=responses(BadRequest, ContentTooLarge, InvalidRequest, *UNTOLD, Unavailable),
)
def create_batch(
    request: Request,
    services: All,
    asked: Asked,
    form: Annotated[BatchForm, Form(media_type="multipart/form-data")],
    response: Response,
) -> Batch:
    """Do many pictures, when nobody waits for one: people's own edits go between.

    A line that cannot be used becomes an item that failed, and stops no other.
    """
    terms = asked.with_body(form)
    batch_id = services.batches.earlier(terms.key) if terms.key else None
    if batch_id is None:
        check_webhook(services, terms)
        if form.model is not None:
            services.models.find(form.model)
        rows = read_rows(_read_lines(services, form.items))
        if form.images:
            check_names_pictures(rows)
        entries = _list_images(form.images) if form.images else None
        drafts = Lines(services.models, form.defaults(), entries).drafts(rows)
        check_tasks(request, {one.item.request.task for one in drafts if one.item.request})
        check_room(services, batch=True)
        batch_id = _submit(services, drafts, form, terms)
    batch = Batch.of(services.batches.read(batch_id))
    response.headers["Location"] = batch.links.self
    response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return batch


@router.get(
    "/{batch_id}",
    operation_id="readBatch",
    response_description="The batch.",
    responses=_ABOUT_A_BATCH,
)
def read_batch(services: All, batch_id: BatchId, response: Response) -> Batch:
    """The batch as it stands."""
    response.headers["Cache-Control"] = "no-store"
    return Batch.of(services.batches.read(batch_id))


@router.post(
    "/{batch_id}/cancel",
    operation_id="cancelBatch",
    response_description="The batch.",
    responses=_ABOUT_A_BATCH,
)
def cancel_batch(services: All, batch_id: BatchId) -> Batch:
    """Leave undone what is not done; what is done stays. Nothing changes where all has ended."""
    return Batch.of(services.batches.cancel(batch_id))


@router.get(
    "/{batch_id}/items",
    operation_id="listBatchItems",
    response_description="The items.",
    responses=_ABOUT_A_BATCH,
)
def list_batch_items(
    services: All,
    batch_id: BatchId,
    response: Response,
    status: Annotated[
        list[Status] | None, Query(description="Only items that stand so; may be repeated.")
    ] = None,
    first: Annotated[int, Query(ge=0, le=99_999, description="The first item's number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
) -> BatchItemList:
    """What came of each line so far, at any time, in the order of the lines."""
    view = services.batches.read(batch_id)
    found = islice(_items(services, view, first, status or ()), limit + 1)
    items = [BatchItem.of(item, f"/batches/{view.id}") for item in found]
    response.headers["Cache-Control"] = "no-store"
    return BatchItemList(
        items=items[:limit], next=items[limit].number if len(items) > limit else None
    )


@router.get(
    "/{batch_id}/items/{number}/outputs/{output}/image",
    operation_id="readBatchImage",
    response_class=Response,
    response_description="The picture.",
    responses={
        200: {"content": dict.fromkeys(("image/png", "image/jpeg", "image/webp"), _PICTURE)},
        **responses(NotFound, Gone, InvalidRequest, Unavailable),
    },
)
def read_batch_image(
    services: All, batch_id: BatchId, number: Number, output: OutputNumber
) -> Response:
    """A finished picture of an item."""
    view = _unexpired(services.batches.read(batch_id))
    found = services.batches.items(view, [number])
    files = _files(found[0]) if found else []
    if output >= len(files):
        raise NotFound("there is no such picture, or not yet")
    file = files[output]
    headers = {"Cache-Control": "private, max-age=3600, immutable"}
    return Response(services.store.get(file.image), media_type=file.media_type, headers=headers)


@router.get(
    "/{batch_id}/results",
    operation_id="downloadBatch",
    response_class=Response,
    response_description="A ZIP of the finished pictures and `manifest.jsonl`.",
    responses={
        200: {"content": {"application/zip": _PICTURE}},
        **responses(NotFound, Gone, InvalidRequest, Unavailable),
    },
)
def download_batch(services: All, batch_id: BatchId) -> Response:
    """All that is finished by now, as a ZIP: pictures, and a line in `manifest.jsonl` each."""
    view = _unexpired(services.batches.read(batch_id))
    headers = {"Content-Disposition": f'attachment; filename="wordbrush-{view.id}.zip"'}
    return StreamingResponse(_zipped(services, view), media_type="application/zip", headers=headers)


def _items(
    services: Services, view: BatchView, first: int = 0, statuses: Collection[Status] = ()
) -> Iterator[ItemView]:
    """Items from `first` on, only those that stand in one of `statuses` if it names any."""
    for start in range(first, view.total, _PAGE):
        for item in services.batches.items(view, range(start, start + _PAGE)):
            if not statuses or item.status in statuses:
                yield item


def _zipped(services: Services, view: BatchView) -> Iterator[bytes]:
    stream = ZipStream()
    for item in _items(services, view):
        names = []
        for n, file in enumerate(_files(item)):
            try:
                data = services.store.get(file.image)
            except NotStored:  # its time came while the others were sent
                continue
            kind = file.media_type.removeprefix("image/").replace("jpeg", "jpg")
            names.append(f"{item.number:05d}-{n}.{kind}")
            yield stream.add(names[-1], data)
        told = BatchItem.of(item, "").model_dump(mode="json", exclude={"outputs"})
        stream.note(told | {"files": names})
    yield from stream.end()


def _files(item: ItemView) -> list[OutputFile]:
    return list(item.outcome.outputs) if isinstance(item.outcome, Result) else []


def _unexpired(view: BatchView) -> BatchView:
    if view.expires_at and view.expires_at <= now():
        raise Gone("the batch's pictures are no longer kept: ask for them again")
    return view


def _read_lines(services: Services, upload: UploadFile) -> bytes:
    limit = services.settings.max_upload_bytes
    data = upload.file.read(limit + 1)
    if len(data) > limit:
        raise ContentTooLarge(f"the lines are over the limit of {limit:,} bytes")
    return data


def _list_images(upload: UploadFile) -> dict[str, int]:
    try:
        return list_entries(upload.file)
    except BadArchive as error:
        raise InvalidRequest.of("images", str(error)) from None
    finally:
        upload.file.seek(0)


def _submit(services: Services, drafts: Sequence[Draft], form: BatchForm, terms: Terms) -> str:
    """Keep the pictures and queue the batch; a refusal leaves nothing.

    What the queue server may have taken before it was lost is not refused: its pictures stay.

    Raises:
        QueueFull: too much waits.
        KeyReused: another request had the idempotency key meanwhile.
    """
    archive_id = services.store.put_file(form.images.file, suffix=".zip") if form.images else None
    items, new_id = [draft.with_archive(archive_id) for draft in drafts], uuid4().hex
    unused = [archive_id] if archive_id else []
    try:
        queued = services.batches.submit(items, name=form.name, terms=terms, batch_id=new_id)
    except (QueueFull, KeyReused):
        services.store.discard(unused)
        raise
    if queued != new_id:  # the same request came twice at once, and the other was first
        services.store.discard(unused)
    return queued
