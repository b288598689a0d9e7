"""What is known of one job: a hash in the queue server, read into a view. Free of torch.

The field `outcome` is written once: whoever ends a job first has ended it. So a cancel, a time
limit and a worker that was thought dead may all race, and the job still finishes exactly once.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from worker.messages import Failure, Request, Result
from worker.outbox import Delivery

RETRIES = 2  # times that a job survives the death of its worker

_LOST = Failure(
    "The job was lost",
    f"The worker died {RETRIES + 1} times over this job, so it was given up.",
    retryable=True,
)


class UnknownJob(LookupError):
    """There is no such job, or it is long forgotten."""

    def __init__(self) -> None:
        super().__init__("there is no such job")


class Status(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    STARTING = "starting"  # a worker has it and loads the model
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"  # it ended, or waited, longer ago than anything is kept

    @property
    def is_final(self) -> bool:
        return self not in (Status.QUEUED, Status.STARTING, Status.PROCESSING)


@dataclass(frozen=True)
class JobView:
    """A job as it stood when it was read."""

    id: str
    request: Request
    status: Status
    progress: float  # of the work, from 0 to 1; waiting is no progress
    queue_position: int | None  # jobs ahead of it; None unless queued
    result: Result | None
    error: Failure | None
    request_id: str | None  # of the HTTP request that it came with
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    delivery: Delivery | None  # to who wants to hear how it ended
    trace: Mapping[str, str]  # that it is part of, as tracing.current() wrote it down


def key_of(job_id: str) -> str:
    """Where a job's record is."""
    return f"wordbrush:job:{job_id}"


def now() -> datetime:
    return datetime.now(UTC)


def read_record(
    job_id: str,
    record: Mapping[str, str],
    *,
    ahead: int | None,
    carrier: str | None,
    result_ttl: timedelta,
) -> JobView:
    """The record as a view; `ahead` counts the jobs before it in the queues, None if it is in
    none, and `carrier` is what RQ says of it.
    """
    outcome = json.loads(record["outcome"]) if "outcome" in record else {}
    finished_at = _time(record.get("finished_at"))
    expires_at = finished_at and finished_at + result_ttl
    status = Status(outcome["status"]) if outcome else _unfinished(record, ahead, carrier)
    if expires_at and expires_at <= now():
        status, outcome = Status.EXPIRED, {}
    if status is Status.FAILED and not outcome:
        outcome = {"error": asdict(_LOST)}
    return JobView(
        id=job_id,
        request=Request.from_json(json.loads(record["request"])),
        status=status,
        progress=1.0 if status is Status.SUCCEEDED else float(record.get("progress", 0)),
        queue_position=ahead if status is Status.QUEUED else None,
        result=Result.from_json(outcome["result"]) if "result" in outcome else None,
        error=Failure(**outcome["error"]) if "error" in outcome else None,
        request_id=record.get("request_id"),
        created_at=datetime.fromisoformat(record["created_at"]),
        started_at=_time(record.get("started_at")),
        finished_at=finished_at,
        expires_at=expires_at,
        delivery=Delivery.in_record(record),
        trace=json.loads(record.get("trace", "{}")),
    )


def _unfinished(record: Mapping[str, str], ahead: int | None, carrier: str | None) -> Status:
    """The status of a job with no outcome. RQ forgets one that waited too long, and leaves its id
    in the queue.
    """
    if carrier is None:
        return Status.EXPIRED
    if ahead is not None:
        return Status.QUEUED
    if carrier == "failed":
        return Status.FAILED
    return Status(record.get("stage", Status.STARTING))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
