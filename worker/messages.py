"""What crosses between processes: frozen dataclasses, JSON on the wire, ids instead of pictures."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from models.registry import Task


@dataclass(frozen=True)
class Crop:
    """A box in pixels of the upright photo, origin at its top left corner."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Request:
    """One job: a model, a caption and, for `manipulate`, a stored picture."""

    task: Task
    model: str  # a checkpoint's id
    caption: str
    seed: int = 0  # of the first variation; the next has seed + 1
    variations: int = 1
    image_id: str | None = None  # of an upload in the store
    mask_id: str | None = None  # of an uploaded mask: white may change, black may not
    crop: Crop | None = None  # the part that the network sees; None: the largest centred square
    full_resolution: bool = True  # False: a preview, at most 768 px on its long side
    format: str | None = None  # png, jpeg or webp; None: as the photo came, else png

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        crop = data["crop"]
        return cls(**data | {"task": Task(data["task"]), "crop": Crop(**crop) if crop else None})


@dataclass(frozen=True)
class OutputFile:
    """One finished picture, by its keys in the store."""

    image: str
    media_type: str
    width: int
    height: int
    seed: int
    network_image: str  # the network's own answer, image_size pixels a side, PNG
    stages: tuple[str, ...] = ()
    heatmaps: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()


@dataclass(frozen=True)
class Metrics:
    """Where a job's time went, in seconds."""

    queue_s: float = 0.0
    load_s: float = 0.0
    predict_s: float = 0.0
    batch_size: int = 1


@dataclass(frozen=True)
class Result:
    """What a worker returns for one request."""

    outputs: tuple[OutputFile, ...]
    metrics: Metrics = field(default_factory=Metrics)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        outputs = tuple(
            OutputFile(**o | {k: tuple(o[k]) for k in ("stages", "heatmaps", "scores")})
            for o in data["outputs"]
        )
        return cls(outputs, Metrics(**data["metrics"]))


@dataclass(frozen=True)
class Failure:
    """Why a request could not be done, in words for the person who asked."""

    title: str  # short and the same for every such failure, e.g. "The picture is gone"
    detail: str
    retryable: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
