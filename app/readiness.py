"""Would work that is sent now be done now: what stands in its way."""

from dataclasses import dataclass
from functools import partial

from app.catalogue import Catalogue
from app.errors import KEYS_UNREADABLE
from app.keys import BadKeyFile, KeyFile
from app.probe import Obstacle, Probe
from worker.connection import QueueDown, QueueSilent
from worker.queue import JobQueue
from worker.store import Store, StoreDown

_QUEUE_SILENT = "the queue does not answer"
_STORE_DOWN = "the store takes no files"


@dataclass(frozen=True)
class Work:
    """What the queue says of who works and what waits."""

    models: tuple[str, ...]  # that a worker has in memory, by name
    queued: int  # jobs that wait for a worker


@dataclass(frozen=True)
class Probes:
    """The questions, one for each part that may be silent."""

    keys: Probe[None]
    models: Probe[None]
    queue: Probe[Work]
    store: Probe[None]

    @classmethod
    def of(cls, models: Catalogue, queue: JobQueue, store: Store, keys: KeyFile | None) -> "Probes":
        """Without `keys` everybody may ask."""
        return cls(
            Probe(partial(_look_at_keys, keys), silence=KEYS_UNREADABLE),
            Probe(partial(_look_at_models, models), silence="the checkpoints cannot be read"),
            Probe(partial(_ask_queue, queue), silence=_QUEUE_SILENT),
            Probe(partial(_ask_store, store), silence=_STORE_DOWN),
        )


def _look_at_keys(keys: KeyFile | None) -> Obstacle | None:
    try:
        if keys is not None:
            keys.check()
    except BadKeyFile:  # the log says which file it is, with each request that has a key
        return Obstacle(KEYS_UNREADABLE)
    return None


def _look_at_models(models: Catalogue) -> Obstacle | None:
    return None if len(models) else Obstacle("there is no checkpoint to serve")


def _ask_queue(queue: JobQueue) -> Work | Obstacle:
    try:
        models, queued = queue.ready_models(), queue.depth()
    except QueueSilent:
        return Obstacle(_QUEUE_SILENT)
    except QueueDown:
        return Obstacle("the queue cannot be reached")
    if not models:
        return Obstacle("no worker has a model in memory yet")
    return Work(tuple(sorted(models)), queued)


def _ask_store(store: Store) -> Obstacle | None:
    try:
        store.check()
    except StoreDown:
        return Obstacle(_STORE_DOWN)
    return None
