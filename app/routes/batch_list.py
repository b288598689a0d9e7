"""GET /batches: the batches there are, newest first, a page at a time."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.deps import All
from app.errors import InvalidRequest, Unavailable, responses
from app.schemas.batches import Batch, BatchList
from worker.listing import CURSOR_PATTERN
from worker.queue import Status

router = APIRouter(prefix="/batches", tags=["batches"])


@router.get(
    "",
    operation_id="listBatches",
    response_description="The batches.",
    responses=responses(InvalidRequest, Unavailable),
)
def list_batches(
    services: All,
    response: Response,
    status: Annotated[
        list[Status] | None, Query(description="Only batches that stand so; may be repeated.")
    ] = None,
    cursor: Annotated[
        str | None, Query(pattern=CURSOR_PATTERN, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
) -> BatchList:
    """The newest batches, a page at a time; batches that come meanwhile move no page."""
    page = services.batches.page(status or (), cursor=cursor, limit=limit)
    response.headers["Cache-Control"] = "no-store"
    return BatchList(batches=[Batch.of(view) for view in page.entries], next=page.cursor)
