"""A batch's counts on a real Valkey; the worker is played by hand."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.registry import Task
from worker.batch_records import BatchView, Item, key_of, pending
from worker.batches import Batches
from worker.messages import Failure, Request, Result
from worker.queue import JobQueue, Status
from worker.records import now
from worker.settings import Settings
from worker.standing import WorkerView

RED = Request(Task.GENERATE, "attngan-flowers-64", "red")
EDITED = Request(Task.MANIPULATE, "tagan-flowers-64", "red", image_id="u")
REFUSED = Item("bad", None, Failure("The line cannot be used", "no caption"))


@pytest.fixture
def batches(settings: Settings) -> Batches:
    return Batches.from_settings(settings)


@pytest.fixture
def queue(settings: Settings) -> JobQueue:
    return JobQueue.from_settings(settings)


@pytest.fixture
def batch_id(batches: Batches) -> str:
    """Of a batch of three drawings, two edits and a line that could not be used."""
    items = [Item(str(n), request) for n, request in enumerate(3 * [RED] + 2 * [EDITED])]
    return batches.submit([*items, REFUSED], name="mine")


def test_a_batch_knows_its_name_and_its_models(batches: Batches, batch_id: str) -> None:
    view = batches.read(batch_id)
    assert (view.name, view.models) == ("mine", (RED.model, EDITED.model))
    assert (view.total, view.refused, view.failed, view.pending) == (6, 1, 1, 5)


def test_each_item_counts_once_however_it_ends(
    batches: Batches, queue: JobQueue, batch_id: str
) -> None:
    done, failed = Result(()), Failure("No", "no")
    assert batches.note(batch_id, RED.model, {0: done, 1: failed})
    batches.note(batch_id, RED.model, {1: done})  # a worker that was thought dead
    batches.note(batch_id, EDITED.model, {3: done})
    batches.cancel(batch_id)
    batches.cancel(batch_id)
    assert not batches.note(batch_id, EDITED.model, {4: done})
    assert list(queue.tally().batch_items()) == [
        ("", "failed", 1),
        (RED.model, "canceled", 1),
        (RED.model, "failed", 1),
        (RED.model, "succeeded", 1),
        (EDITED.model, "canceled", 1),
        (EDITED.model, "succeeded", 1),
    ]
    assert not list(queue.tally().jobs())


def test_a_batch_that_is_done_is_not_canceled_any_more(
    batches: Batches, queue: JobQueue, batch_id: str
) -> None:
    batches.note(batch_id, RED.model, dict.fromkeys(range(3), Result(())))
    batches.note(batch_id, EDITED.model, dict.fromkeys(range(3, 5), Result(())))
    assert batches.cancel(batch_id).status is Status.SUCCEEDED
    assert "canceled" not in {status for _, status, _ in queue.tally().batch_items()}


def test_a_canceled_batch_leaves_no_chunk_in_the_queue_but_those_of_others(
    batches: Batches, queue: JobQueue, batch_id: str
) -> None:
    other = batches.submit([Item("0", RED)])
    assert queue.depths()["batch"] == 3
    batches.cancel(batch_id)
    assert queue.depths()["batch"] == 1
    assert len(batches.connection.keys("rq:job:*")) == 1
    assert batches.read(other).status is Status.QUEUED


def let_wait_too_long(batches: Batches, batch_id: str) -> None:
    """As if the batch had come a day earlier."""
    key = key_of(batch_id)
    at = datetime.fromisoformat((batches.connection.hget(key, "created_at") or b"").decode())
    batches.connection.hset(key, "created_at", (at - timedelta(days=1)).isoformat())


def forget_chunks(batches: Batches, count: int) -> None:
    """As RQ does when their time to live is over."""
    keys: Any = batches.connection.keys("rq:job:*")
    batches.connection.delete(*sorted(keys)[:count])


def test_a_batch_whose_chunks_waited_too_long_expires_and_what_was_done_stays(
    batches: Batches, queue: JobQueue, batch_id: str
) -> None:
    batches.note(batch_id, RED.model, {0: Result(())})
    let_wait_too_long(batches, batch_id)
    forget_chunks(batches, 1)
    assert batches.read(batch_id).status is Status.QUEUED  # a chunk is still there
    forget_chunks(batches, 1)
    views = [batches.read(batch_id), *batches.page().entries]
    assert [view.status for view in views] == [Status.EXPIRED] * 2
    view = views[0]
    assert (view.total, view.succeeded, view.failed, view.pending) == (6, 1, 1, 0)
    assert (view.canceled, view.expired) == (0, 4)
    items = batches.items(view, range(6))
    assert [item.status for item in items] == [
        Status.SUCCEEDED,
        *[Status.EXPIRED] * 4,
        Status.FAILED,
    ]
    assert isinstance(items[1].outcome, Failure)
    assert items[1].outcome.retryable
    assert queue.depth() == 0
    assert view.expires_at
    assert view.expires_at > now()  # pictures that were made are kept as long as any
    assert ("attngan-flowers-64", "expired", 2) in queue.tally().batch_items()
    assert ("tagan-flowers-64", "expired", 2) in queue.tally().batch_items()


def test_an_expired_batch_takes_nothing_more_and_is_not_canceled(
    batches: Batches, batch_id: str
) -> None:
    let_wait_too_long(batches, batch_id)
    forget_chunks(batches, 2)
    expired = batches.read(batch_id)
    assert not batches.note(batch_id, RED.model, {0: Result(())})
    assert not batches.is_wanted(batch_id)
    assert batches.cancel(batch_id) == expired
    assert pending(batches.items(batches.begin(batch_id), range(6))) == {}


def test_a_batch_that_takes_longer_than_it_may_wait_goes_on_while_a_chunk_is_done(
    batches: Batches, batch_id: str
) -> None:
    let_wait_too_long(batches, batch_id)
    forget_chunks(batches, 2)
    batches.put_back(batch_id, RED.model, range(3))
    assert batches.begin(batch_id).status is Status.PROCESSING


@pytest.mark.parametrize(("workers", "chunks"), [(0, 2), (1, 2), (2, 4), (9, 16)])
def test_workers_can_share_a_batch(
    batches: Batches, queue: JobQueue, workers: int, chunks: int
) -> None:
    for number in range(workers):
        queue.announce(WorkerView(f"w{number}", number, "host", "cpu", (RED.model,)))
    batches.submit([Item(str(n), RED) for n in range(1000)])
    assert queue.depths()["batch"] == chunks


def test_what_is_left_is_estimated_by_how_it_went(batches: Batches, batch_id: str) -> None:
    assert batches.begin(batch_id).started_at
    batches.note(batch_id, RED.model, {0: Result(()), 1: Result(())})
    view = batches.read(batch_id)
    assert view.started_at
    assert view.seconds_left(view.started_at + timedelta(seconds=10)) == 15
    assert _left(replace(view, started_at=None)) is None
    assert _left(replace(view, status=Status.CANCELED)) is None
    assert _left(replace(view, succeeded=0)) is None  # what was refused took no time


def _left(view: BatchView) -> float | None:
    return view.seconds_left(view.created_at + timedelta(seconds=10))
