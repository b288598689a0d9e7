"""What an answer about a job holds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.schemas.captions import Word
from app.schemas.outputs import JobOutput, Match
from app.schemas.webhooks import WebhookState
from models.registry import Task
from models.text.vocabulary import UnknownWord
from worker.queue import JobView, Status

_JOB: JsonDict = {
    "id": "9fa9c0e13bd24f1aa3e90f8704ecd9f8",
    "status": "succeeded",
    "task": "manipulate",
    "model": "tagan-flowers-64",
    "caption": "this flowr has yellow petals",
    "caption_to": None,
    "seed": 7,
    "image_id": "uploads-ab6b5a0a5b3e43c680b28063c8450302.jpeg",
    "image_id_to": None,
    "queue_position": None,
    "eta_s": None,
    "progress": 1.0,
    "outputs": [
        {
            "image": "/jobs/9fa9c0e13bd24f1aa3e90f8704ecd9f8/outputs/0/image",
            "media_type": "image/jpeg",
            "width": 4000,
            "height": 3000,
            "seed": 7,
            "network_image": "/jobs/9fa9c0e13bd24f1aa3e90f8704ecd9f8/outputs/0/network-image",
            "words": ["this", "flowr", "has", "yellow", "petals"],
            "stages": ["/jobs/9fa9c0e13bd24f1aa3e90f8704ecd9f8/outputs/0/stages/0"],
            "heatmaps": [
                {
                    "stage": 0,
                    "word": 3,
                    "strength": 0.41,
                    "image": "/jobs/9fa9c0e13bd24f1aa3e90f8704ecd9f8/outputs/0/heatmaps/0/3",
                }
            ],
            "scores": [{"word": 3, "score": 0.91}],
            "position": None,
        }
    ],
    "animation": None,
    "matches": [],
    "searched": None,
    "not_yet_searched": None,
    "unknown_words": [{"word": "flowr", "nearest": ["flower"]}],
    "metrics": {"queue_s": 0.01, "load_s": 0.0, "predict_s": 0.04, "batch_size": 1},
    "error": None,
    "webhook": None,
    "request_id": "b4e0c1f2a97d4b6c8d21c6a0f3f1a2b3",
    "created_at": "2026-11-23T08:20:53.688600Z",
    "started_at": "2026-11-23T08:20:53.698600Z",
    "finished_at": "2026-11-23T08:20:53.796790Z",
    "expires_at": "2026-11-24T08:20:53.796790Z",
    "links": {
        "self": "/jobs/9fa9c0e13bd24f1aa3e90f8704ecd9f8",
        "cancel": "/jobs/9fa9c0e13bd24f1aa3e90f8704ecd9f8/cancel",
        "events": "/jobs/9fa9c0e13bd24f1aa3e90f8704ecd9f8/events",
        "retry": "/jobs/9fa9c0e13bd24f1aa3e90f8704ecd9f8/retry",
    },
}


class JobMetrics(BaseModel):
    """Where the time of a job went, in seconds."""

    model_config = ConfigDict(from_attributes=True)

    queue_s: float
    load_s: float
    predict_s: float
    batch_size: int


class JobError(BaseModel):
    """Why a job failed."""

    model_config = ConfigDict(from_attributes=True)

    title: str
    detail: str
    retryable: bool


class JobLinks(BaseModel):
    """Where the job itself is, where it can be stopped (by POST), where it can be followed, and
    where it can be asked for anew (by POST) when nothing came of it.
    """

    self: str
    cancel: str
    events: str
    retry: str


class Job(BaseModel):
    """A picture, or a search, that was asked for, as it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [_JOB]})

    id: str
    status: Status
    task: Task
    model: str
    caption: str
    caption_to: str | None = Field(description="At the other end of an interpolation.")
    seed: int = Field(description="Of the first variation.")
    image_id: str | None = Field(description="The photo, for an edit; others can follow on it.")
    image_id_to: str | None = Field(description="The photo at the other end of an interpolation.")
    queue_position: int | None = Field(description="Jobs ahead of it; null unless it is queued.")
    eta_s: float | None = Field(
        description="About how many seconds it will still take; null when it has ended, or when "
        "nothing like it was done lately."
    )
    progress: float = Field(ge=0, le=1, description="How much of the work is done.")
    outputs: list[JobOutput]
    animation: str | None = Field(description="Of an interpolation: WebP, `?format=gif` GIF.")
    matches: list[Match] = Field(description="What a search found, the best first.")
    searched: int | None = Field(description="Pictures that a search looked through.")
    not_yet_searched: int | None = Field(
        description="Pictures of the library that are too new: the same search again has more."
    )
    unknown_words: list[Word] = Field(description="Words that the model never saw.")
    metrics: JobMetrics | None
    error: JobError | None
    webhook: WebhookState | None = Field(description="Null where the request named none.")
    request_id: str | None = Field(description="`X-Request-ID` of the request that it came with.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="From when the pictures are gone.")
    links: JobLinks

    @classmethod
    def of(
        cls, view: JobView, unknown_words: Sequence[UnknownWord], *, eta_s: float | None
    ) -> Self:
        link, asked, result = f"/jobs/{view.id}", view.request, view.result
        files = enumerate(result.outputs if result else ())
        found = result.found if result else None
        return cls(
            id=view.id,
            status=view.status,
            task=asked.task,
            model=asked.model,
            caption=asked.caption,
            caption_to=asked.caption_to,
            seed=asked.seed,
            image_id=asked.image_id,
            image_id_to=asked.image_id_to,
            queue_position=view.queue_position,
            eta_s=None if eta_s is None else round(eta_s, 3),
            progress=view.progress,
            outputs=[JobOutput.of(file, f"{link}/outputs/{n}") for n, file in files],
            animation=f"{link}/animation" if result and result.animation else None,
            matches=[Match.of(match) for match in found.matches] if found else [],
            searched=found.searched if found else None,
            not_yet_searched=found.left if found else None,
            unknown_words=[Word.of(word) for word in unknown_words],
            metrics=JobMetrics.model_validate(result.metrics) if result else None,
            error=JobError.model_validate(view.error) if view.error else None,
            webhook=WebhookState.of(view.delivery),
            request_id=view.request_id,
            created_at=view.created_at,
            started_at=view.started_at,
            finished_at=view.finished_at,
            expires_at=view.expires_at,
            links=JobLinks(
                self=link,
                cancel=f"{link}/cancel",
                events=f"{link}/events",
                retry=f"{link}/retry",
            ),
        )


class JobList(BaseModel):
    """Some jobs, newest first."""

    jobs: list[Job]
    next: str | None = Field(
        description="The `cursor` of the next page; null on the last. A page may have fewer jobs "
        "than asked for, even none, and yet not be the last."
    )


class JobEvent(BaseModel):
    """Where a job is, as told while it is under way."""

    status: Status
    progress: float = Field(ge=0, le=1)
    queue_position: int | None = Field(None, description="In `position` events.")
    eta_s: float | None = Field(None, description="In `position` events, if it is known.")
    job: Job | None = Field(None, description="The whole job, in the `ended` event.")

    @classmethod
    def of(
        cls,
        status: Status,
        progress: float,
        *,
        queue_position: int | None = None,
        eta_s: float | None = None,
        job: Job | None = None,
    ) -> Self:
        return cls(
            status=status, progress=progress, queue_position=queue_position, eta_s=eta_s, job=job
        )
