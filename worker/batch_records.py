"""What is known of one batch and of its items: hashes in the queue server, read into views. Free of
torch.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from worker.messages import Failure, Request, Result
from worker.outbox import Delivery
from worker.records import Status, now

_EXPIRED = Failure(
    "The item expired",
    "It waited longer than anything is kept, so it was given up.",
    retryable=True,
)
LEFT = "left:"  # and a model: the field that counts its items that are to be done


class UnknownBatch(LookupError):
    """There is no such batch, or it is long forgotten."""

    def __init__(self) -> None:
        super().__init__("there is no such batch")


@dataclass(frozen=True)
class Item:
    """One line of a batch: what to do, or why it can't be done."""

    name: str  # the client's own for it, else its number
    request: Request | None
    refusal: Failure | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "request": self.request and self.request.to_json(),
            "refusal": self.refusal and self.refusal.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        request, refusal = data["request"], data["refusal"]
        return cls(
            data["name"],
            Request.from_json(request) if request else None,
            Failure(**refusal) if refusal else None,
        )


@dataclass(frozen=True)
class ItemView:
    """An item as it stood when it was read."""

    number: int  # from 0
    item: Item
    status: Status  # queued, succeeded, failed, canceled or expired
    outcome: Result | Failure | None


@dataclass(frozen=True)
class BatchView:
    """A batch as it stood when it was read."""

    id: str
    name: str | None  # the client's own for it
    models: tuple[str, ...]  # of its items
    status: Status
    total: int
    refused: int  # lines that could not be used; they count as failed
    succeeded: int
    failed: int
    canceled: int  # left undone, since the batch was canceled
    expired: int  # left undone, since it waited too long
    undone: Status  # how an item stands that was not done: queued, canceled or expired
    request_id: str | None
    trace: Mapping[str, str]  # that it is part of, as tracing.current() wrote it down
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    delivery: Delivery | None  # to who wants to hear how it ended

    @property
    def pending(self) -> int:
        return self.total - self.succeeded - self.failed - self.canceled - self.expired

    def seconds_left(self, at: datetime) -> float | None:
        """About how long it will still take, if it goes on as until `at`; None if unknown."""
        done = self.total - self.refused - self.pending
        if self.status is not Status.PROCESSING or self.started_at is None or not done:
            return None
        return (at - self.started_at).total_seconds() / done * self.pending


def key_of(batch_id: str, part: str = "") -> str:
    """Where a batch's record is, or a part of it: `items`, `results`, `chunks`."""
    return f"wordbrush:batch:{batch_id}{part and ':' + part}"


def read_batch(batch_id: str, record: Mapping[str, str], *, result_ttl: timedelta) -> BatchView:
    """The batch's record as a view."""
    times = {
        name: datetime.fromisoformat(record[f"{name}_at"]) if f"{name}_at" in record else None
        for name in ("started", "finished", "canceled", "expired")
    }
    total, succeeded, failed = (int(record[k]) for k in ("total", "succeeded", "failed"))
    left, undone = total - succeeded - failed, _undone(times)
    ended_at = times["finished"] or times["canceled"] or times["expired"]
    expires_at = ended_at and ended_at + result_ttl
    return BatchView(
        id=batch_id,
        name=record.get("name"),
        models=tuple(sorted(k.removeprefix(LEFT) for k in record if k.startswith(LEFT))),
        status=_status(times, expires_at),
        total=total,
        refused=int(record.get("refused", 0)),
        succeeded=succeeded,
        failed=failed,
        canceled=left if undone is Status.CANCELED else 0,
        expired=left if undone is Status.EXPIRED else 0,
        undone=undone,
        request_id=record.get("request_id"),
        trace=json.loads(record.get("trace", "{}")),
        created_at=datetime.fromisoformat(record["created_at"]),
        started_at=times["started"],
        finished_at=ended_at,
        expires_at=expires_at,
        delivery=Delivery.in_record(record),
    )


def read_item(view: BatchView, number: int, item: bytes, result: bytes | None) -> ItemView:
    """One item as it stands, of the batch `view`."""
    known = Item.from_json(json.loads(item))
    if result is None:
        outcome = _EXPIRED if view.undone is Status.EXPIRED else None
        return ItemView(number, known, view.undone, outcome)
    data = json.loads(result)
    if "error" in data:
        return ItemView(number, known, Status.FAILED, Failure(**data["error"]))
    return ItemView(number, known, Status.SUCCEEDED, Result.from_json(data["result"]))


def write_outcome(outcome: Result | Failure) -> tuple[str, Status]:
    """What became of an item, as `read_item` reads it, and what it counts as."""
    if isinstance(outcome, Failure):
        return json.dumps({"error": asdict(outcome)}), Status.FAILED
    return json.dumps({"result": outcome.to_json()}), Status.SUCCEEDED


def pending(items: Iterable[ItemView]) -> dict[int, Request]:
    """What is still to be done, by number."""
    return {
        view.number: view.item.request
        for view in items
        if view.status is Status.QUEUED and view.item.request
    }


def _undone(times: Mapping[str, datetime | None]) -> Status:
    """How an item stands that was not done."""
    if times["canceled"]:
        return Status.CANCELED
    return Status.EXPIRED if times["expired"] else Status.QUEUED


def _status(times: Mapping[str, datetime | None], expires_at: datetime | None) -> Status:
    """A batch that was done has succeeded, whatever became of its items."""
    if times["expired"] or (expires_at and expires_at <= now()):
        return Status.EXPIRED
    if times["canceled"]:
        return Status.CANCELED
    if times["finished"]:
        return Status.SUCCEEDED
    return Status.PROCESSING if times["started"] else Status.QUEUED
