"""What an answer holds about a webhook."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from worker.outbox import Delivery, DeliveryStatus


class WebhookState(BaseModel):
    """Whether the receiver was told of the end."""

    model_config = ConfigDict(from_attributes=True)

    status: DeliveryStatus = Field(description="`waiting`: for the end, or for the next attempt.")
    attempts: int
    problem: str | None = Field(description="Why the last attempt failed.")

    @classmethod
    def of(cls, delivery: Delivery | None) -> Self | None:
        return cls.model_validate(delivery) if delivery else None
