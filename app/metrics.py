"""The service's figures as Prometheus reads them, from the queue server and this process.

What starts with `wordbrush_` is of the whole service and the same from every web process, so ask
one of them, or take the maximum over them; only `process_...` is this process's own.
"""

from collections.abc import Iterable, Iterator
from math import inf

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from worker.metrics import HISTOGRAMS, Histogram, Tally
from worker.queue import JobQueue, WorkerView

_PREFIX = "wordbrush_"


def create_registry(queue: JobQueue) -> CollectorRegistry:
    """What one web process answers to a scrape."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(ServiceCollector(queue))
    return registry


def render(registry: CollectorRegistry) -> bytes:
    """The text of a scrape.

    Raises:
        QueueDown: the server that counts can't be reached.
    """
    return generate_latest(registry)


class ServiceCollector(Collector):
    """Reads the service's counts anew for each scrape."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def describe(self) -> Iterable[Metric]:
        """Nothing: so the registry need not scrape to know the names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        tally = self._queue.tally()
        yield _ended("jobs", "Jobs that have ended, by how.", tally.jobs())
        yield _ended(
            "batch_items",
            "Items of batches that have ended, by how; a line that could not be used has no model.",
            tally.batch_items(),
        )
        yield _webhooks(tally)
        for histogram in HISTOGRAMS:
            yield _histogram(tally, histogram)
        yield _depths(self._queue)
        yield from _workers(self._queue.workers())


def _ended(name: str, help: str, counts: Iterable[tuple[str, str, int]]) -> Metric:
    family = CounterMetricFamily(_PREFIX + name, help, labels=("model", "status"))
    for model, status, count in counts:
        family.add_metric((model, status), count)
    return family


def _webhooks(tally: Tally) -> Metric:
    family = CounterMetricFamily(
        f"{_PREFIX}webhooks",
        "Attempts to tell receivers of an end: delivered, failed (tried again), given_up.",
        labels=("outcome",),
    )
    for outcome, count in tally.webhooks():
        family.add_metric((outcome,), count)
    return family


def _histogram(tally: Tally, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(_PREFIX + histogram.name, histogram.help, labels=("model",))
    for model, counted in tally.histogram(histogram):
        buckets = [(_bound(bound), count) for bound, count in counted.counts]
        family.add_metric((model,), buckets, counted.sum)
    return family


def _bound(bound: float) -> str:
    return "+Inf" if bound == inf else str(bound)


def _depths(queue: JobQueue) -> Metric:
    family = GaugeMetricFamily(
        f"{_PREFIX}queue_depth", "Jobs that wait for a worker.", labels=("queue",)
    )
    for name, depth in queue.depths().items():
        family.add_metric((name,), depth)
    return family


def _workers(workers: list[WorkerView]) -> Iterator[Metric]:
    alive = GaugeMetricFamily(
        f"{_PREFIX}workers", "Workers that are alive and ready.", labels=("device",)
    )
    memory = GaugeMetricFamily(
        f"{_PREFIX}worker_memory_bytes",
        "Memory of a worker's process, of its models in it, and of a GPU what torch has taken.",
        labels=("worker", "kind"),
    )
    holders = GaugeMetricFamily(
        f"{_PREFIX}model_workers", "Workers that have the model in memory.", labels=("model",)
    )
    for device in sorted({worker.device for worker in workers}):
        alive.add_metric((device,), sum(worker.device == device for worker in workers))
    for worker in workers:
        for kind, size in worker.memory_bytes.items():
            memory.add_metric((worker.name, kind), size)
    for model in sorted({model for worker in workers for model in worker.models}):
        holders.add_metric((model,), sum(model in worker.models for worker in workers))
    yield from (alive, memory, holders)
