"""What the service has done, counted in the queue server. Free of torch.

Jobs are done by many processes and asked about through any of several, so no process counts for
itself: each event is added once, by whoever ended the job, to one hash that all web processes
read. Their answers are the same figures, not parts of a sum, and outlive each of them.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import redis
from redis.client import Pipeline

COUNTS = "wordbrush:metrics"

_ITEMS = "batch_items"
_SUM = "sum"


@dataclass(frozen=True)
class Histogram:
    """A measure of which it is counted how often it was at most each of `bounds`."""

    name: str
    help: str
    bounds: tuple[float, ...]

    def bound_of(self, value: float) -> float:
        return next((bound for bound in self.bounds if value <= bound), inf)


QUEUE_WAIT = Histogram(
    "queue_wait_seconds",
    "How long a job waited for a worker.",
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
INFERENCE = Histogram(
    "inference_seconds",
    "How long the pass took that a job, or an item of a batch, was in, with reading its photo and "
    "writing its pictures.",
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
BATCH_SIZE = Histogram(
    "batch_size", "How many jobs or items went through the network together.", (1, 2, 4, 8, 16, 32)
)
MODEL_LOAD = Histogram(
    "model_load_seconds",
    "How long it took to get a checkpoint into a worker's memory.",
    (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
HISTOGRAMS = (QUEUE_WAIT, INFERENCE, BATCH_SIZE, MODEL_LOAD)

_OF_A_RESULT: tuple[tuple[Histogram, Callable[[Mapping[str, Any]], float]], ...] = (
    (QUEUE_WAIT, lambda metrics: metrics["queue_s"]),
    (INFERENCE, lambda metrics: metrics["predict_s"]),
    (BATCH_SIZE, lambda metrics: metrics["batch_size"]),
)


@dataclass(frozen=True)
class Counted:
    """One histogram of one model."""

    counts: tuple[
        tuple[float, int], ...
    ]  # bound and how many values up to it, the last at infinity
    sum: float


def count_end(pipe: Pipeline, model: str, outcome: Mapping[str, Any]) -> None:
    """A job has ended; `outcome` is as its record has it."""
    pipe.hincrby(COUNTS, _field("jobs", model, outcome["status"]), 1)
    if result := outcome.get("result"):
        for histogram, value_in in _OF_A_RESULT:
            observe(pipe, histogram, model, value_in(result["metrics"]))


def items_field(model: str, status: str) -> str:
    """Where in COUNTS items of batches are counted, for a model, or "" for lines that could not be
    used and so have none.
    """
    return _field(_ITEMS, model, status)


def count_pass(pipe: Pipeline, model: str, seconds: float, *, items: int) -> None:
    """So many items of a batch went through the network together; each counts as a job does."""
    for histogram, value in ((INFERENCE, seconds), (BATCH_SIZE, items)):
        observe(pipe, histogram, model, value, times=items)


def count_webhook(pipe: Pipeline, outcome: str) -> None:
    """A webhook was delivered, failed (and is tried again) or was given up."""
    pipe.hincrby(COUNTS, _field("webhooks", outcome, ""), 1)


def observe(
    pipe: Pipeline, histogram: Histogram, model: str, value: float, *, times: int = 1
) -> None:
    bound = histogram.bound_of(value)
    pipe.hincrby(COUNTS, _field(histogram.name, model, str(float(bound))), times)
    pipe.hincrbyfloat(COUNTS, _field(histogram.name, model, _SUM), value * times)


class Tally:
    """All counts as they stood when they were read."""

    def __init__(self, connection: redis.Redis) -> None:
        raw = connection.hgetall(COUNTS)
        self._values = {tuple(json.loads(field)): float(value) for field, value in raw.items()}

    def jobs(self) -> Iterator[tuple[str, str, int]]:
        """Model, status and how many jobs of the model ended so."""
        return self._counts("jobs")

    def batch_items(self) -> Iterator[tuple[str, str, int]]:
        """The same of items of batches; model "" is for lines that could not be used."""
        return self._counts(_ITEMS)

    def webhooks(self) -> Iterator[tuple[str, int]]:
        """What became of attempts to deliver webhooks, and how often."""
        for outcome, _, count in self._counts("webhooks"):
            yield outcome, count

    def histogram(self, wanted: Histogram) -> Iterator[tuple[str, Counted]]:
        """Each model that was measured so, and its values."""
        models = {model for name, model, _ in self._values if name == wanted.name}
        for model in sorted(models):
            yield model, self._counted(wanted, model)

    def _counts(self, wanted: str) -> Iterator[tuple[str, str, int]]:
        for (name, model, status), value in sorted(self._values.items()):
            if name == wanted:
                yield model, status, int(value)

    def _counted(self, wanted: Histogram, model: str) -> Counted:
        counts, up_to = [], 0
        for bound in (*wanted.bounds, inf):
            up_to += int(self._values.get((wanted.name, model, str(float(bound))), 0))
            counts.append((float(bound), up_to))
        return Counted(tuple(counts), self._values.get((wanted.name, model, _SUM), 0.0))


def _field(*parts: str) -> str:
    return json.dumps(parts)
