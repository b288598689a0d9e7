"""How long pictures took lately, by model, and so when a job will be done. Free of torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any

import redis

from worker.messages import Request
from worker.passes import FEW, beside
from worker.records import JobView, Status, now

_LATELY = 15  # passes that count; half of them must have changed before an estimate does
_NEAR = 64  # jobs of which the passes are reckoned one by one
_TTL_S = 7 * 24 * 3600
_PREFIX = "wordbrush:pace:"
_BATCH_PREFIX = "wordbrush:pace-of-batches:"
_PREFIXES = (_PREFIX, _BATCH_PREFIX)
_LOAD_PREFIX = "wordbrush:pace-of-loading:"


@dataclass(frozen=True)
class Pace:
    """What the last passes through one model were like: medians."""

    picture_s: float  # of a worker's time for one more picture, from its photo to its file
    pictures: float  # that went through the network together
    pass_s: float = 0.0  # that a pass takes whatever is in it

    def seconds(self, pictures: float) -> float:
        """Of a pass with so many pictures."""
        return self.pass_s + self.picture_s * pictures

    def scaled_to(self, narrower: "Pace") -> "Pace":
        """The same, at the speed of `narrower`, which has seen passes of too few kinds to know what
        they have for themselves.
        """
        factor = narrower.seconds(narrower.pictures) / self.seconds(narrower.pictures)
        return Pace(self.picture_s * factor, self.pictures, self.pass_s * factor)

    @property
    def shared_s(self) -> float:
        """For each picture of a pass as they mostly are."""
        return self.seconds(self.pictures) / self.pictures


@dataclass(frozen=True)
class Begun:
    """Something that a worker has in hand."""

    request: Request | None  # None: a part of a batch, an import, a job of another program
    spent_s: float  # since it was begun


def note_pace(
    connection: redis.Redis,
    request: Request,
    *,
    seconds: float,
    pictures: int,
    batch: bool = False,
) -> None:
    """Remember that `pictures` like those of `request` took a worker so many seconds in all; those
    of a `batch` for themselves, since more of them go together than people's do.
    """
    prefix = _BATCH_PREFIX if batch else _PREFIX
    with connection.pipeline() as pipe:
        for kind in _kinds(request):
            pipe.lpush(prefix + kind, f"{seconds / pictures:.4g} {pictures}")
            pipe.ltrim(prefix + kind, 0, _LATELY - 1)
            pipe.expire(prefix + kind, _TTL_S)
        pipe.execute()


def note_load(connection: redis.Redis, model: str, seconds: float) -> None:
    """Remember that it took so long to get a model into memory."""
    connection.set(_LOAD_PREFIX + model, f"{seconds:.4g}", ex=_TTL_S)


def read_load(connection: redis.Redis, model: str) -> float:
    """How many seconds that took the last time; 0 where it was never done."""
    text: Any = connection.get(_LOAD_PREFIX + model)
    return float(text or 0)


def read_paces(connection: redis.Redis, requests: Sequence[Request]) -> dict[str, Pace]:
    """The pace of each kind of request among these that was done before, by its narrowest kind: as
    people's went, else as batches did.
    """
    some = {kinds[0]: kinds for kinds in map(_kinds, requests)}
    keys = sorted({p + kind for kinds in some.values() for kind in kinds for p in _PREFIXES})
    with connection.pipeline() as pipe:
        for key in keys:
            pipe.lrange(key, 0, -1)
        found = {key: lines for key, lines in zip(keys, pipe.execute(), strict=True) if lines}
    paces: dict[str, Pace] = {}
    for narrowest, kinds in some.items():
        known = [
            _pace(lines)
            for kind in kinds
            if (lines := found.get(_PREFIX + kind) or found.get(_BATCH_PREFIX + kind))
        ]
        if known:
            paces[narrowest] = known[-1].scaled_to(known[0])
    return paces


def seconds_left(
    view: JobView,
    ahead: Sequence[Request],
    paces: Mapping[str, Pace],
    *,
    begun: Sequence[Begun],
    workers: int,
    load_s: float,
) -> float | None:
    """Seconds until an unfinished job will have ended; None where its like was never done.

    `ahead` wait before it, `begun` is in hand. What waits is shared among `workers`, and goes
    through the network together as they gather it (worker/gathering.py); the job's model takes
    `load_s` to be in memory first.
    """
    if (own := paces.get(_kinds(view.request)[0])) is None:
        return None
    if view.status is not Status.QUEUED:
        spent = (now() - view.started_at).total_seconds() if view.started_at else 0.0
        return max(0.0, load_s + own.seconds(max(view.request.pictures, own.pictures)) - spent)
    far, near = ahead[:-_NEAR], ahead[-_NEAR:]
    before = sum(paces.get(_kinds(r)[0], own).shared_s * r.pictures for r in far)
    before += _in_hand_s(begun, paces, own)
    own_s = _passes_s([*near, view.request], paces, own, max(1, workers))
    return before / max(1, workers) + load_s + own_s


def _passes_s(
    waiting: Sequence[Request], paces: Mapping[str, Pace], own: Pace, workers: int
) -> float:
    """Seconds until the last of what waits is done, pass by pass. Where it does not wait alone, as
    many pictures are likely to come together as lately did.
    """
    last, left, free_at = waiting[-1], list(waiting), [0.0] * workers
    while True:
        first, *others = left
        taken = beside(first, others, most=FEW, workers=workers)
        together = [first, *(others[number] for number in taken)]
        worker = free_at.index(min(free_at))
        free_at[worker] += _pass_s(together, paces, own)
        if len(waiting) > 1:
            pace, pictures = paces.get(_kinds(first)[0], own), sum(r.pictures for r in together)
            free_at[worker] += pace.picture_s * max(0.0, pace.pictures - pictures)
        if together[-1] is last:
            return free_at[worker]
        left = [one for number, one in enumerate(others) if number not in taken]


def _pass_s(requests: Iterable[Request], paces: Mapping[str, Pace], own: Pace) -> float:
    """Seconds of one pass with all of these; `own` is the pace of what was never done."""
    asked = [(request, paces.get(_kinds(request)[0], own)) for request in requests]
    each = sum(pace.picture_s * request.pictures for request, pace in asked)
    return max(pace.pass_s for _, pace in asked) + each


def _in_hand_s(begun: Sequence[Begun], paces: Mapping[str, Pace], own: Pace) -> float:
    """What is left of the passes that are under way: of one model and task all are in one; what is
    no job of ours is half done, and takes as long as a pass of the job's own kind.
    """
    passes: dict[object, list[Begun]] = {}
    for one in begun:
        passes.setdefault((one.request.model, one.request.task) if one.request else one, []).append(
            one
        )
    left = 0.0
    for some in passes.values():
        if asked := [one.request for one in some if one.request]:
            whole = _pass_s(asked, paces, own)
            left += max(0.0, whole - max(one.spent_s for one in some))
        else:
            left += own.seconds(own.pictures) / 2
    return left


def _pace(lines: Sequence[bytes]) -> Pace:
    """The line through what passes took over what was in them that most pairs of passes agree on
    (Theil and Sen), so that one which was held up does not count for much; where all were equal,
    nothing is known of a pass without its pictures.
    """
    each_s, pictures = zip(*(map(float, line.split()) for line in lines), strict=True)
    passes = [(count, one * count) for one, count in zip(each_s, pictures, strict=True)]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(passes, 2) if a[0] != b[0]]
    if not slopes:
        return Pace(median(each_s), median(pictures))
    slope = max(0.0, median(slopes))
    rest = median(seconds - slope * count for count, seconds in passes)
    return Pace(slope, median(pictures), max(0.0, rest))


def _kinds(request: Request) -> list[str]:
    """What takes about equally long for each picture, the narrowest first: photos whose sides are
    of one power of two and that come out in one format, then any.
    """
    quality = "full" if request.full_resolution else "preview"
    widest = f"{request.model}:{request.task}:{quality}"
    if request.photo_pixels is None or not request.full_resolution:
        return [widest]
    format = request.format or (request.image_id or "").rpartition(".")[2]
    return [f"{widest}:{request.photo_pixels.bit_length() // 2}:{format}", widest]
