"""How long pictures took lately, by model, and so when a job will be done. Free of torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import redis

from worker.messages import Request
from worker.records import JobView, Status, now

_LATELY = 15  # passes that count; half of them must have changed before an estimate does
_TTL_S = 7 * 24 * 3600


@dataclass(frozen=True)
class Pace:
    """What the last passes through one model were like: medians."""

    picture_s: float  # of a worker's time for one more picture, from its photo to its file
    pictures: float  # that went through the network together
    pass_s: float = 0.0  # that a pass takes whatever is in it

    def seconds(self, pictures: float) -> float:
        """Of a pass with so many pictures."""
        return self.pass_s + self.picture_s * pictures

    @property
    def shared_s(self) -> float:
        """For each picture of a pass as they mostly are."""
        return self.seconds(self.pictures) / self.pictures


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
    key = (_BATCH_PREFIX if batch else _PREFIX) + _kind(request)
    with connection.pipeline() as pipe:
        pipe.lpush(key, f"{seconds / pictures:.4g} {pictures}")
        pipe.ltrim(key, 0, _LATELY - 1)
        pipe.expire(key, _TTL_S)
        pipe.execute()


def read_paces(connection: redis.Redis, requests: Sequence[Request]) -> dict[str, Pace]:
    """The pace of each kind of request among these that was done before, by its kind; that of
    batches where people asked for none of it.
    """
    kinds = sorted({_kind(request) for request in requests})
    with connection.pipeline() as pipe:
        for kind in kinds:
            pipe.lrange(_PREFIX + kind, 0, -1)
            pipe.lrange(_BATCH_PREFIX + kind, 0, -1)
        answers = pipe.execute()
    found = {
        kind: people or batch
        for kind, people, batch in zip(kinds, answers[::2], answers[1::2], strict=True)
    }
    return {kind: _pace(lines) for kind, lines in found.items() if lines}


def seconds_left(
    view: JobView,
    ahead: Sequence[Request],
    paces: Mapping[str, Pace],
    *,
    running: int,
    workers: int,
) -> float | None:
    """Seconds until an unfinished job will have ended; None where its like was never done.

    `ahead` wait before it, `running` have been begun and are taken for half done. What waits is
    shared among `workers`, and the job goes through the network with others if there are any.
    """
    if (own := paces.get(_kind(view.request))) is None:
        return None
    if view.status is not Status.QUEUED:
        spent = (now() - view.started_at).total_seconds() if view.started_at else 0.0
        return max(0.0, own.seconds(max(view.request.pictures, own.pictures)) - spent)
    before = sum(paces.get(_kind(r), own).shared_s * r.pictures for r in ahead)
    begun = running * own.seconds(own.pictures) / 2
    beside = own.pictures if ahead else 0
    return (before + begun) / max(1, workers) + own.seconds(max(view.request.pictures, beside))


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


_PREFIX = "wordbrush:pace:"
_BATCH_PREFIX = "wordbrush:pace-of-batches:"


def _kind(request: Request) -> str:
    """What takes about equally long for each picture."""
    return f"{request.model}:{request.task}:{'full' if request.full_resolution else 'preview'}"
