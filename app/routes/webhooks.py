"""POST /webhooks/{id}/resend: tell a receiver of an end that it did not hear of, or lost."""

from typing import Annotated

from fastapi import APIRouter, Path, status

from app.deps import All
from app.errors import Conflict, InvalidRequest, NotFound, Unavailable, responses
from app.schemas.webhooks import WebhookState
from worker import outbox
from worker.batch_records import BatchView
from worker.queue import JobView

router = APIRouter(prefix="/webhooks/{webhook_id}", tags=["webhooks"])


@router.post(
    "/resend",
    operation_id="resendWebhook",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="How far it has come.",
    responses=responses(NotFound, Conflict, InvalidRequest, Unavailable),
)
def resend_webhook(
    services: All,
    webhook_id: Annotated[
        str,
        Path(
            pattern="^(job|batch)_[A-Za-z0-9_-]{1,64}$",
            description="`webhook-id` of its attempts: `job_` or `batch_`, and the id of that.",
        ),
    ],
) -> WebhookState:
    """Tell of a job's or a batch's end once more, with the same `webhook-id`: attempts begin anew
    for one that was given up or delivered, and the next is made now for one that waits for it.
    """
    kind, _, subject_id = webhook_id.partition("_")
    view: JobView | BatchView
    if kind == "job":
        view, subject = services.queue.read(subject_id), outbox.job(subject_id)
    else:
        view, subject = services.batches.read(subject_id), outbox.batch(subject_id)
    if view.delivery is None:
        raise NotFound(f"the {kind} has no webhook")
    if not view.status.is_final:
        raise Conflict(f"the {kind} is {view.status}, there is no end to tell of yet")
    if not services.settings.webhooks:
        raise Conflict("this service sends no webhooks")
    return WebhookState.model_validate(services.outbox.send_again(subject, view.delivery))
