"""What an answer holds about a webhook."""

from datetime import UTC, datetime
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from worker.outbox import Delivery, DeliveryStatus, GivenUp


class WebhookState(BaseModel):
    """Whether the receiver was told of the end."""

    model_config = ConfigDict(from_attributes=True)

    status: DeliveryStatus = Field(description="`waiting`: for the end, or for the next attempt.")
    attempts: int
    problem: str | None = Field(description="Why the last attempt failed.")

    @classmethod
    def of(cls, delivery: Delivery | None) -> Self | None:
        return cls.model_validate(delivery) if delivery else None


class WebhookLinks(BaseModel):
    """Where the job or the batch is, and where its end can be told again (by POST)."""

    subject: str
    resend: str


class GivenUpWebhook(BaseModel):
    """A receiver that was not told of an end, and will not be unless somebody asks."""

    id: str = Field(description="`webhook-id` of its attempts.", examples=["job_9fa9"])
    host: str = Field(description="Of the receiver; its whole address may have a secret in it.")
    attempts: int
    problem: str | None = Field(description="Why the last attempt failed.")
    given_up_at: datetime
    links: WebhookLinks

    @classmethod
    def of(cls, given_up: GivenUp) -> Self:
        kind, _, subject_id = given_up.subject.partition(":")
        webhook_id = f"{kind}_{subject_id}"
        return cls(
            id=webhook_id,
            host=urlsplit(given_up.delivery.url).hostname or "",
            attempts=given_up.delivery.attempts,
            problem=given_up.delivery.problem,
            given_up_at=datetime.fromtimestamp(given_up.at, UTC),
            links=WebhookLinks(
                subject=f"/{'jobs' if kind == 'job' else 'batches'}/{subject_id}",
                resend=f"/webhooks/{webhook_id}/resend",
            ),
        )


class WebhookList(BaseModel):
    """Some webhooks that were given up, the last one first."""

    webhooks: list[GivenUpWebhook]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")
