"""GET /webhooks: who was to hear of an end and did not, and why."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.deps import All
from app.errors import InvalidRequest, Unavailable, responses
from app.schemas.webhooks import GivenUpWebhook, WebhookList
from worker.outbox import CURSOR_PATTERN

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.get(
    "",
    operation_id="listWebhooks",
    response_description="The webhooks.",
    responses=responses(InvalidRequest, Unavailable),
)
def list_webhooks(
    services: All,
    response: Response,
    cursor: Annotated[
        str | None, Query(pattern=CURSOR_PATTERN, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
) -> WebhookList:
    """The webhooks that were given up, as long as their jobs and batches are known."""
    found, after = services.outbox.given_up(cursor=cursor, limit=limit)
    response.headers["Cache-Control"] = "no-store"
    return WebhookList(webhooks=[GivenUpWebhook.of(one) for one in found], next=after)
