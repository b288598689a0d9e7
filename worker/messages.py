"""What crosses between processes: frozen dataclasses, JSON on the wire, ids instead of pictures."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple, Self

from models.registry import Task
from models.text.vocabulary import tokenize

MAX_CAPTION = 300  # characters
MAX_VARIATIONS = 8
MAX_STEPS = 16  # pictures of an interpolation
MAX_SEED = 2**32 - 1


def with_words(caption: str) -> str:
    """The caption.

    Raises:
        ValueError: there is no word in it.
    """
    if not tokenize(caption):
        raise ValueError("there is no word in it, wanted at least one")
    return caption


@dataclass(frozen=True)
class Crop:
    """A box in pixels of the upright photo, origin at its top left corner."""

    left: int
    top: int
    width: int
    height: int


class Draw(NamedTuple):
    """One picture of a request."""

    seed: int
    position: float | None  # from 0 to 1 in an interpolation


@dataclass(frozen=True)
class Candidate:
    """A stored picture that a search looks through beside the library."""

    name: str  # what the client calls it
    file_id: str  # of the store


@dataclass(frozen=True)
class Request:
    """One job: a model, a caption and, for `manipulate`, a stored picture.

    A search has a picture, or a caption, or both; then the caption may be empty.
    """

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
    steps: int = 1  # pictures of an interpolation, its two ends included; 1: it is none
    caption_to: str | None = None  # at the other end; None: the same caption
    image_id_to: str | None = None  # of the photo at the other end; None: the same photo
    limit: int = 12  # pictures that a search finds at most
    among: tuple[Candidate, ...] = ()  # that a search looks through beside the library
    photo_pixels: int | None = None  # of the photo, where that is known: for estimates of time

    @property
    def pictures(self) -> int:
        """How many it asks for."""
        return self.variations if self.steps == 1 else self.steps

    @property
    def draws(self) -> tuple[Draw, ...]:
        """What it asks for: variations, or the steps of an interpolation, of one noise all."""
        if self.steps == 1:
            return tuple(Draw(self.seed + i, None) for i in range(self.variations))
        return tuple(Draw(self.seed, i / (self.steps - 1)) for i in range(self.steps))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        crop = data["crop"]
        return cls(
            **data
            | {
                "task": Task(data["task"]),
                "crop": Crop(**crop) if crop else None,
                "among": tuple(Candidate(**one) for one in data.get("among", ())),
            }
        )


@dataclass(frozen=True)
class HeatmapFile:
    """Where each word looked in one stage (worker/heatmaps.py)."""

    file: str  # all words' maps, by its key in the store
    strengths: tuple[float, ...]  # in [0, 1], one a word


@dataclass(frozen=True)
class OutputFile:
    """One finished picture and what can be told of it, by keys in the store."""

    image: str
    media_type: str
    width: int
    height: int
    seed: int
    network_image: str  # the network's own answer, image_size pixels a side, PNG
    stages: tuple[str, ...] = ()  # earlier, smaller pictures, smallest first, PNG
    words: tuple[str, ...] = ()  # as the model read them; only where something is told of them
    heatmaps: tuple[HeatmapFile, ...] = ()  # one a stage that looks at words
    scores: tuple[float, ...] = ()  # in [0, 1], one a word: how far the picture obeys it
    position: float | None = None  # from 0 to 1, between the ends of an interpolation

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        lists: dict[str, Any] = {
            k: tuple(data[k]) for k in ("stages", "words", "scores") if k in data
        }
        heatmaps = tuple(
            HeatmapFile(one["file"], tuple(one["strengths"])) for one in data.get("heatmaps", ())
        )
        return cls(**data | lists | {"heatmaps": heatmaps})


@dataclass(frozen=True)
class Match:
    """A picture that a search found."""

    place: Literal["library", "among"]
    name: str  # in the library, or as the client calls it
    score: float  # in [-1, 1], the higher the nearer


@dataclass(frozen=True)
class Found:
    """What a search found, the best first."""

    matches: tuple[Match, ...] = ()
    searched: int = 0  # pictures that were looked through
    left: int = 0  # pictures of the library that are too new; a later search has them

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data | {"matches": tuple(Match(**match) for match in data["matches"])})


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
    animation: str | None = None  # key of an interpolation's animated WebP
    found: Found | None = None  # of a search, which has no outputs

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        outputs = tuple(map(OutputFile.from_json, data["outputs"]))
        found = Found.from_json(data["found"]) if data.get("found") else None
        return cls(outputs, Metrics(**data["metrics"]), data.get("animation"), found)


@dataclass(frozen=True)
class Failure:
    """Why a request could not be done, in words for the person who asked."""

    title: str  # short and the same for every such failure, e.g. "The picture is gone"
    detail: str
    retryable: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
