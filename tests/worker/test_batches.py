"""A batch's counts on a real Valkey; the worker is played by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.registry import Task
from worker.batch_records import BatchView, Item
from worker.batches import Batches
from worker.messages import Failure, Request, Result
from worker.queue import JobQueue, Status
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
