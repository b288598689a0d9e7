"""What jobs and batches have alike: queues, and records under ids. Free of torch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Generic, Self, TypeVar

from rq import Queue
from rq.serializers import JSONSerializer

from worker import idempotency
from worker.connection import PATIENCE_S, connect, outages_named
from worker.idempotency import IdempotencyKey
from worker.settings import Settings

INTERACTIVE = "wordbrush-interactive"  # a person waits for these
BATCH = "wordbrush-batch"  # served when nobody waits

_TOMBSTONE_S = 24 * 3600  # how long what has expired is told from what never was

T = TypeVar("T")


class Kept(ABC, Generic[T]):
    """Reads records of one kind; safe to share between threads.

    Each method raises QueueDown when the queue server can't be reached.
    """

    _unknown: ClassVar[type[LookupError]]  # of this kind; raised where nothing has the id

    def __init__(
        self,
        redis_url: str,
        *,
        max_queue: int = 1000,
        job_timeout_s: int = 60,
        result_ttl_s: int = 24 * 3600,
        waiting_ttl_s: int = 24 * 3600,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`patience_s` is for a queue server that is silent."""
        self.connection = connect(redis_url, patience_s=patience_s)
        self._interactive, self._batch = (
            Queue(name, connection=self.connection, serializer=JSONSerializer)
            for name in (INTERACTIVE, BATCH)
        )
        self._max_queue = max_queue
        self._job_timeout_s = job_timeout_s
        self._result_ttl = timedelta(seconds=result_ttl_s)
        self._waiting_ttl_s = waiting_ttl_s
        self._record_ttl_s = waiting_ttl_s + result_ttl_s + _TOMBSTONE_S

    @classmethod
    def from_settings(cls, settings: Settings, *, patience_s: float = PATIENCE_S) -> Self:
        return cls(
            settings.redis_url,
            max_queue=settings.max_queue,
            job_timeout_s=settings.job_timeout_s,
            result_ttl_s=settings.result_ttl_s,
            waiting_ttl_s=settings.upload_ttl_s,
            patience_s=patience_s,
        )

    @outages_named()
    def earlier(self, key: IdempotencyKey) -> str | None:
        """The id of what a request with this key came to before, if it came before.

        Raises:
            KeyReused: another request had it.
        """
        return idempotency.earlier(self.connection, key)

    @outages_named()
    def read(self, record_id: str) -> T:
        """What has this id, as it stands.

        Raises:
            UnknownJob, UnknownBatch: there is none.
        """
        [view] = self._read([record_id])
        if view is None:
            raise self._unknown
        return view

    @abstractmethod
    def _read(self, record_ids: Sequence[str]) -> list[T | None]:
        """What has these ids, as it stands; None for one that is unknown."""
