"""What an answer of the API holds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from models.checkpoint import Header
from models.registry import Task
from models.text.vocabulary import UnknownWord, tokenize
from worker.messages import Match as FoundMatch
from worker.messages import OutputFile
from worker.outbox import Delivery, DeliveryStatus
from worker.queue import JobView, Status


class StoredImage(BaseModel):
    """A picture that edits can name from now on."""

    image_id: str
    width: int = Field(description="Pixels of the upright photo.")
    height: int
    expires_at: datetime


class Word(BaseModel):
    """A word that the model never saw, and what it would understand instead, best first."""

    word: str
    nearest: list[str]

    @classmethod
    def of(cls, unknown: UnknownWord) -> Self:
        return cls(word=unknown.word, nearest=list(unknown.nearest))


class CheckedWord(Word):
    """One word of a caption, in its place."""

    known: bool


class CaptionCheck(BaseModel):
    """What a model makes of a caption."""

    words: list[CheckedWord] = Field(description="All words, in order.")
    unknown_words: list[Word] = Field(description="Those the model never saw, each once.")

    @classmethod
    def of(cls, caption: str, unknown_words: Sequence[UnknownWord]) -> Self:
        unknown = [Word.of(word) for word in unknown_words]
        nearest = {word.word: word.nearest for word in unknown}
        words = [
            CheckedWord(word=word, known=word not in nearest, nearest=nearest.get(word, []))
            for word in tokenize(caption)
        ]
        return cls(words=words, unknown_words=unknown)


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


class Heatmap(BaseModel):
    """Where one word looked in one stage: grey, white where it counted most."""

    stage: int = Field(description="From 0, the stage with the fewest pixels.")
    word: int = Field(description="Its place in `words`, from 0.")
    strength: float = Field(
        description="How far the word took places for itself, from 0 to 1; ranks a stage's words."
    )
    image: str = Field(description="PNG.", examples=["/jobs/3f0c/outputs/0/heatmaps/0/3"])


class WordScore(BaseModel):
    """Whether the picture obeys one word."""

    word: int = Field(description="Its place in `words`, from 0.")
    score: float = Field(description="From 0 to 1, by the model's own discriminator.")


class JobOutput(BaseModel):
    """One finished picture, by its links, and what the model can tell of it."""

    image: str = Field(examples=["/jobs/3f0c/outputs/0/image"])
    media_type: str = Field(examples=["image/jpeg"])
    width: int
    height: int
    seed: int
    network_image: str = Field(description="The network's own small answer, PNG.")
    words: list[str] = Field(
        description="The caption as the model read it; empty where nothing is told of words."
    )
    stages: list[str] = Field(description="Earlier, smaller pictures, smallest first, PNG.")
    heatmaps: list[Heatmap] = Field(description="Of each stage and word; empty without attention.")
    scores: list[WordScore] = Field(description="Of each word; empty where the model can't tell.")
    position: float | None = Field(
        description="From 0 to 1, between the ends of an interpolation; null if it is none."
    )

    @classmethod
    def of(cls, file: OutputFile, link: str) -> Self:
        return cls(
            image=f"{link}/image",
            media_type=file.media_type,
            width=file.width,
            height=file.height,
            seed=file.seed,
            network_image=f"{link}/network-image",
            words=list(file.words),
            stages=[f"{link}/stages/{i}" for i in range(len(file.stages))],
            heatmaps=[
                Heatmap(stage=stage, word=word, strength=s, image=f"{link}/heatmaps/{stage}/{word}")
                for stage, heatmap in enumerate(file.heatmaps)
                for word, s in enumerate(heatmap.strengths)
            ],
            scores=[WordScore(word=word, score=s) for word, s in enumerate(file.scores)],
            position=file.position,
        )


class Match(BaseModel):
    """A picture that a search found."""

    image: str = Field(examples=["/library/dahlia.jpg"])
    name: str | None = Field(description="In the library; null for one that the search named.")
    image_id: str | None = Field(description="For an upload that the search named.")
    score: float = Field(description="Between -1 and 1, the higher the nearer.")

    @classmethod
    def of(cls, match: FoundMatch) -> Self:
        in_library, is_link = match.place == "library", match.name.startswith("/")
        if in_library:
            image = f"/library/{quote(match.name)}"
        else:
            image = match.name if is_link else f"/images/{match.name}"
        return cls(
            image=image,
            name=match.name if in_library else None,
            image_id=None if in_library or is_link else match.name,
            score=match.score,
        )


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


class WebhookState(BaseModel):
    """Whether the receiver was told of the end."""

    model_config = ConfigDict(from_attributes=True)

    status: DeliveryStatus = Field(description="`waiting`: for the end, or for the next attempt.")
    attempts: int
    problem: str | None = Field(description="Why the last attempt failed.")

    @classmethod
    def of(cls, delivery: Delivery | None) -> Self | None:
        return cls.model_validate(delivery) if delivery else None


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


class Model(BaseModel):
    """A checkpoint that can be asked for."""

    id: str = Field(examples=["tagan-flowers-64"])
    system: str = Field(examples=["tagan"])
    title: str
    task: Task = Field(description="The first of `tasks`.")
    tasks: list[Task]
    domain: str = Field(examples=["flowers"])
    image_size: int = Field(description="Pixels a side of what the network sees.")
    trained: bool = Field(description="False: random weights, for trying out the house.")
    steps: int
    metrics: dict[str, float]
    licence: str
    data: str
    examples: list[str] = Field(description="Captions to start from.")
    summary: str
    keeps_photo: bool = Field(
        description="An edit is the photo with a change; false: what is in the crop is drawn anew."
    )
    paper: str

    @classmethod
    def of(cls, header: Header) -> Self:
        spec = header.spec
        tasks = sorted(spec.tasks, reverse=True)  # search, manipulate, generate
        return cls(
            id=header.id,
            system=header.system,
            title=spec.title,
            task=tasks[0],
            tasks=tasks,
            domain=header.domain,
            image_size=header.image_size,
            trained=header.trained,
            steps=header.steps,
            metrics=dict(header.metrics),
            licence=header.licence,
            data=header.data,
            examples=list(header.examples),
            summary=spec.summary,
            keeps_photo=spec.keeps_photo,
            paper=spec.paper,
        )


class ModelList(BaseModel):
    """All checkpoints that are served here."""

    models: list[Model]


class Sample(BaseModel):
    """A picture to try things out on, free to use."""

    name: str
    url: str
    thumbnail: str = Field(description="The same, small.")
    title: str
    author: str
    licence: str
    licence_text: str = Field(description="Where the licence can be read.")
    source: str
    domain: str = Field(description="Of the models that it suits.")


class SampleList(BaseModel):
    """All sample pictures."""

    samples: list[Sample]


class Alive(BaseModel):
    """The web process runs."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Work that is sent now is done now."""

    status: Literal["ready"] = "ready"
    models: list[str] = Field(description="Models that a worker has in memory.")
    queued: int = Field(description="Jobs that wait for a worker.")
