"""What an answer about a batch holds."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from app.schemas.jobs import JobError
from app.schemas.webhooks import WebhookState
from models.registry import Task
from worker.batch_records import BatchView, ItemView
from worker.messages import Failure, Result
from worker.queue import Status
from worker.records import now


class RequestCounts(BaseModel):
    """How many items of a batch stand how."""

    total: int
    succeeded: int
    failed: int
    canceled: int
    expired: int = Field(description="The batch waited too long for a worker.")
    pending: int


class BatchLinks(BaseModel):
    """Where the batch is, what came of it so far, and where it can be stopped (by POST)."""

    self: str
    cancel: str
    items: str
    results: str


class Batch(BaseModel):
    """Many pictures that were asked for at once, as they stand."""

    id: str
    name: str | None = Field(description="The client's own for it.")
    models: list[str] = Field(description="Of its items.")
    status: Status = Field(description="`succeeded`: all was tried; `request_counts` has how.")
    request_counts: RequestCounts
    eta_s: float | None = Field(
        description="About how many seconds it will still take, by how it went so far; null "
        "before its first picture and at its end."
    )
    webhook: WebhookState | None = Field(description="Null where the request named none.")
    request_id: str | None = Field(description="`X-Request-ID` of the request that it came with.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="From when the pictures are gone.")
    links: BatchLinks

    @classmethod
    def of(cls, view: BatchView) -> Self:
        link, eta_s = f"/batches/{view.id}", view.seconds_left(now())
        return cls(
            id=view.id,
            name=view.name,
            models=list(view.models),
            status=view.status,
            request_counts=RequestCounts(
                total=view.total,
                succeeded=view.succeeded,
                failed=view.failed,
                canceled=view.canceled,
                expired=view.expired,
                pending=view.pending,
            ),
            eta_s=None if eta_s is None else round(eta_s, 1),
            webhook=WebhookState.of(view.delivery),
            request_id=view.request_id,
            created_at=view.created_at,
            started_at=view.started_at,
            finished_at=view.finished_at,
            expires_at=view.expires_at,
            links=BatchLinks(
                self=link,
                cancel=f"{link}/cancel",
                items=f"{link}/items",
                results=f"{link}/results",
            ),
        )


class BatchList(BaseModel):
    """Some batches, newest first."""

    batches: list[Batch]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class BatchOutput(BaseModel):
    """One finished picture of an item."""

    image: str = Field(examples=["/batches/3f0c/items/0/outputs/0/image"])
    media_type: str
    width: int
    height: int
    seed: int
    position: float | None = Field(
        description="From 0 to 1, between the ends of an interpolation; null if it is none."
    )


class BatchItem(BaseModel):
    """One line of a batch, as it stands."""

    number: int = Field(description="From 0, in the order of the lines.")
    id: str = Field(description="The line's own `id`, else its number.")
    status: Status
    task: Task | None = Field(description="Null where the line could not be used.")
    model: str | None
    caption: str | None
    caption_to: str | None = Field(description="At the other end of an interpolation.")
    seed: int | None
    outputs: list[BatchOutput]
    error: JobError | None

    @classmethod
    def of(cls, view: ItemView, link: str) -> Self:
        asked, outcome = view.item.request, view.outcome
        files = outcome.outputs if isinstance(outcome, Result) else ()
        return cls(
            number=view.number,
            id=view.item.name,
            status=view.status,
            task=asked.task if asked else None,
            model=asked.model if asked else None,
            caption=asked.caption if asked else None,
            caption_to=asked.caption_to if asked else None,
            seed=asked.seed if asked else None,
            outputs=[
                BatchOutput(
                    image=f"{link}/items/{view.number}/outputs/{n}/image",
                    media_type=file.media_type,
                    width=file.width,
                    height=file.height,
                    seed=file.seed,
                    position=file.position,
                )
                for n, file in enumerate(files)
            ],
            error=JobError.model_validate(outcome) if isinstance(outcome, Failure) else None,
        )


class BatchItemList(BaseModel):
    """Some items, in the order of the lines."""

    items: list[BatchItem]
    next: int | None = Field(description="`first` of the next page; null on the last.")
