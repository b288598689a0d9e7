"""How batches stand, as anybody may ask. Free of torch."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Self

from rq import Queue
from rq.serializers import JSONSerializer

from worker import idempotency
from worker.batch_records import (
    BatchView,
    ItemView,
    UnknownBatch,
    key_of,
    read_batch,
    read_item,
)
from worker.connection import connect, outages_named
from worker.listing import BATCHES, Page, read_page
from worker.records import Status
from worker.settings import Settings
from worker.standing import BATCH

_TOMBSTONE_S = 24 * 3600  # how long an expired batch is told from one that never was


class BatchStanding:
    """Reads what the queue server knows of batches; safe to share between threads.

    Each method raises QueueDown when the queue server can't be reached.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        max_queue: int,
        job_timeout_s: int,
        result_ttl_s: int,
        waiting_ttl_s: int,
    ) -> None:
        self._connection = connect(redis_url)
        self._queue = Queue(BATCH, connection=self._connection, serializer=JSONSerializer)
        self._max_queue = max_queue
        self._job_timeout_s = job_timeout_s
        self._result_ttl = timedelta(seconds=result_ttl_s)
        self._waiting_ttl_s = waiting_ttl_s
        self._ttl_s = waiting_ttl_s + result_ttl_s + _TOMBSTONE_S

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            settings.redis_url,
            max_queue=settings.max_queue,
            job_timeout_s=settings.job_timeout_s,
            result_ttl_s=settings.result_ttl_s,
            waiting_ttl_s=settings.upload_ttl_s,
        )

    @outages_named()
    def earlier(self, key: idempotency.IdempotencyKey) -> str | None:
        """The id of the batch that came with this key before.

        Raises:
            KeyReused: another request had it.
        """
        return idempotency.earlier(self._connection, key)

    @outages_named()
    def read(self, batch_id: str) -> BatchView:
        """The batch as it stands.

        Raises:
            UnknownBatch: there is none.
        """
        [view] = self._read([batch_id])
        if view is None:
            raise UnknownBatch("there is no such batch")
        return view

    @outages_named()
    def page(
        self, statuses: Collection[Status] = (), *, cursor: str | None = None, limit: int = 20
    ) -> Page[BatchView]:
        """The newest batches, only those that stand in one of `statuses` if it names any; or those
        before `cursor`, which a page before gave.
        """

        def takes(view: BatchView) -> bool:
            return not statuses or view.status in statuses

        return read_page(self._connection, BATCHES, self._read, takes, cursor=cursor, limit=limit)

    @outages_named()
    def items(self, view: BatchView, wanted: Sequence[int]) -> list[ItemView]:
        """Items of a batch by their numbers, as they stand; those past the last are left out."""
        numbers = [number for number in wanted if number < view.total]
        if not numbers:
            return []
        with self._connection.pipeline() as pipe:
            pipe.hmget(key_of(view.id, "items"), numbers)
            pipe.hmget(key_of(view.id, "results"), numbers)
            items, results = pipe.execute()
        return [
            read_item(view, number, item, result)
            for number, item, result in zip(numbers, items, results, strict=True)
            if item
        ]

    def _read(self, batch_ids: Sequence[str]) -> list[BatchView | None]:
        """The batches as they stand, None for one that is unknown."""
        with self._connection.pipeline() as pipe:
            for batch_id in batch_ids:
                pipe.hgetall(key_of(batch_id))
            answers = pipe.execute()
        found = ({k.decode(): v.decode() for k, v in raw.items()} for raw in answers)
        return [
            read_batch(batch_id, record, result_ttl=self._result_ttl) if "total" in record else None
            for batch_id, record in zip(batch_ids, found, strict=True)
        ]
