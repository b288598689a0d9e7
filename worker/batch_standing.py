"""How batches stand, as anybody may ask. Free of torch."""

from collections.abc import Collection, Sequence

from worker.batch_records import (
    BatchView,
    ItemView,
    UnknownBatch,
    key_of,
    read_batch,
    read_item,
)
from worker.connection import outages_named
from worker.kept import Kept
from worker.listing import BATCHES, Page, read_page
from worker.records import Status


class BatchStanding(Kept[BatchView]):
    """Reads what the queue server knows of batches; safe to share between threads.

    Each method raises QueueDown when the queue server can't be reached.
    """

    _unknown = UnknownBatch

    @outages_named()
    def page(
        self, statuses: Collection[Status] = (), *, cursor: str | None = None, limit: int = 20
    ) -> Page[BatchView]:
        """The newest batches, only those that stand in one of `statuses` if it names any; or those
        before `cursor`, which a page before gave.
        """

        def takes(view: BatchView) -> bool:
            return not statuses or view.status in statuses

        return read_page(self.connection, BATCHES, self._read, takes, cursor=cursor, limit=limit)

    @outages_named()
    def items(self, view: BatchView, wanted: Sequence[int]) -> list[ItemView]:
        """Items of a batch by their numbers, as they stand; those past the last are left out."""
        numbers = [number for number in wanted if number < view.total]
        if not numbers:
            return []
        with self.connection.pipeline() as pipe:
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
        with self.connection.pipeline() as pipe:
            for batch_id in batch_ids:
                pipe.hgetall(key_of(batch_id))
            answers = pipe.execute()
        found = ({k.decode(): v.decode() for k, v in raw.items()} for raw in answers)
        return [
            read_batch(batch_id, record, result_ttl=self._result_ttl) if "total" in record else None
            for batch_id, record in zip(batch_ids, found, strict=True)
        ]
