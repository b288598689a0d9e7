"""What the server answers, as frozen dataclasses. Fields that a newer server adds are left out."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

UNFINISHED = frozenset({"queued", "starting", "processing"})


@dataclass(frozen=True)
class Answer:
    """What all of them can do."""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The answer in a JSON object; `_read_<field>` reads what is no plain value."""
        values = {}
        for field in fields(cls):
            if field.name in data:
                read = getattr(cls, f"_read_{field.name}", lambda value: value)
                values[field.name] = read(data[field.name])
        return cls(**values)


@dataclass(frozen=True)
class Output(Answer):
    """A finished picture."""

    image: str  # where it is
    media_type: str
    width: int
    height: int
    seed: int
    position: float | None = None  # from 0 to 1, between the ends of an interpolation


@dataclass(frozen=True)
class JobError(Answer):
    """Why a job failed."""

    title: str
    detail: str
    retryable: bool


@dataclass(frozen=True)
class Job(Answer):
    """A picture that was asked for, as it stood."""

    id: str
    status: str
    task: str
    model: str
    caption: str
    seed: int
    created_at: str
    caption_to: str | None = None
    image_id: str | None = None
    image_id_to: str | None = None
    queue_position: int | None = None
    eta_s: float | None = None
    progress: float = 0.0
    outputs: tuple[Output, ...] = ()
    unknown_words: tuple[Mapping[str, Any], ...] = ()
    metrics: Mapping[str, float] | None = None
    error: JobError | None = None
    webhook: Mapping[str, Any] | None = None  # how far it came: status, attempts, problem
    request_id: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    expires_at: str | None = None

    @property
    def is_done(self) -> bool:
        """It has ended, well or not."""
        return self.status not in UNFINISHED

    @staticmethod
    def _read_outputs(data: Any) -> tuple[Output, ...]:
        return tuple(map(Output.read, data))

    @staticmethod
    def _read_unknown_words(data: Any) -> tuple[Mapping[str, Any], ...]:
        return tuple(data)

    @staticmethod
    def _read_error(data: Any) -> JobError | None:
        return data and JobError.read(data)


@dataclass(frozen=True)
class Event(Answer):
    """Where a job is, as told while it is under way."""

    status: str
    progress: float
    queue_position: int | None = None
    eta_s: float | None = None
    job: Job | None = None  # with the last one

    @staticmethod
    def _read_job(data: Any) -> Job | None:
        return data and Job.read(data)


@dataclass(frozen=True)
class BatchItem(Answer):
    """One line of a batch, as it stood."""

    number: int
    id: str
    status: str
    caption: str | None = None
    model: str | None = None
    seed: int | None = None
    outputs: tuple[Output, ...] = ()
    error: JobError | None = None

    _read_outputs = Job._read_outputs
    _read_error = Job._read_error


@dataclass(frozen=True)
class Batch(Answer):
    """Many pictures that were asked for at once, as they stood."""

    id: str
    status: str
    request_counts: Mapping[str, int]  # total, succeeded, failed, canceled, ...
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    expires_at: str | None = None

    @property
    def is_done(self) -> bool:
        """All is tried, or it was canceled, or waited too long."""
        return self.status not in UNFINISHED


@dataclass(frozen=True)
class Webhook(Answer):
    """A receiver that was not told of an end, and will not be unless somebody asks."""

    id: str  # `job_` or `batch_`, and the id of that
    host: str
    attempts: int
    given_up_at: str
    problem: str | None = None  # of the last attempt


@dataclass(frozen=True)
class Model(Answer):
    """A checkpoint that can be asked for."""

    id: str
    title: str
    tasks: tuple[str, ...]
    domain: str
    image_size: int
    licence: str
    examples: tuple[str, ...] = ()

    @staticmethod
    def _read_tasks(data: Any) -> tuple[str, ...]:
        return tuple(data)

    _read_examples = _read_tasks
