"""Counts on a real Valkey: each event once, whoever counts it."""

from math import inf

import pytest
import redis

from models.registry import Task
from worker.batch_records import Item
from worker.batches import Batches
from worker.listing import Wanted
from worker.messages import Failure, Metrics, Request, Result
from worker.metrics import (
    BATCH_SIZE,
    HISTOGRAMS,
    INFERENCE,
    MODEL_LOAD,
    QUEUE_WAIT,
    Histogram,
    Tally,
    observe,
)
from worker.queue import JobQueue, Status
from worker.settings import Settings

REQUEST = Request(Task.GENERATE, "a-model", "secret words")


@pytest.fixture
def queue(settings: Settings) -> JobQueue:
    return JobQueue.from_settings(settings)


def test_a_job_counts_once_whoever_ends_it_how_often(queue: JobQueue) -> None:
    done, canceled = queue.submit(REQUEST), queue.submit(REQUEST)
    result = Result((), Metrics(queue_s=0.02, predict_s=0.3, batch_size=4))
    assert queue.finish(done, result)
    queue.finish(done, result)  # by a worker that was thought dead
    queue.cancel(done)
    queue.cancel(canceled)
    queue.finish(canceled, Failure("too late", ""))
    counted = list(queue.tally().jobs())
    assert counted == [("a-model", "canceled", 1), ("a-model", "succeeded", 1)]


def test_a_job_that_waited_too_long_counts_once_whoever_looks_at_it(queue: JobQueue) -> None:
    job_id = queue.submit(REQUEST)
    queue.connection.delete(f"rq:job:{job_id}")  # as its time to live does
    views = [queue.read(job_id), queue.read(job_id), *queue.page(Wanted()).entries]
    assert {view.status for view in views} == {Status.EXPIRED}
    assert not queue.finish(job_id, Result(()))  # by a worker that was thought dead
    assert list(queue.tally().jobs()) == [("a-model", "expired", 1)]
    assert queue.depth() == 0


def test_a_pass_of_a_batch_is_measured_for_each_of_its_items(
    queue: JobQueue, settings: Settings
) -> None:
    batches = Batches.from_settings(settings)
    batch_id = batches.submit([Item(str(n), REQUEST) for n in range(4)])
    done = [Result((), Metrics(predict_s=seconds)) for seconds in (0.2, 0.4)]
    failed = Failure("The picture is gone", "")
    batches.note(batch_id, "a-model", {0: done[0], 1: done[1], 2: failed})
    batches.cancel(batch_id)
    batches.note(batch_id, "a-model", {3: done[0]})
    [(_, passes)] = queue.tally().histogram(INFERENCE)
    assert passes.counts[-1] == (inf, 2)
    assert passes.sum == pytest.approx(0.8)
    [(_, sizes)] = queue.tally().histogram(BATCH_SIZE)
    assert dict(sizes.counts)[2] == 2


def test_a_finished_jobs_times_and_batch_are_measured(queue: JobQueue) -> None:
    for batch_size in (4, 1):
        result = Result((), Metrics(queue_s=0.02, predict_s=0.3, batch_size=batch_size))
        queue.finish(queue.submit(REQUEST), result)
    queue.note_load("a-model", 700.0)
    tally = queue.tally()
    [(model, waits)] = tally.histogram(QUEUE_WAIT)
    assert model == "a-model"
    assert dict(waits.counts)[0.01] == 0
    assert dict(waits.counts)[0.025] == 2
    assert waits.counts[-1] == (inf, 2)
    assert waits.sum == pytest.approx(0.04)
    [(_, passes)] = tally.histogram(INFERENCE)
    assert passes.sum == pytest.approx(0.6)
    [(_, batches)] = tally.histogram(BATCH_SIZE)
    assert [count for _, count in batches.counts] == [1, 1, 2, 2, 2, 2, 2]
    [(_, loads)] = tally.histogram(MODEL_LOAD)
    assert loads.counts[-2:] == ((60.0, 0), (inf, 1))


@pytest.mark.parametrize("histogram", HISTOGRAMS, ids=lambda h: h.name)
def test_a_value_at_a_bound_is_within_it(
    histogram: Histogram, settings: Settings, valkey_url: str
) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        bound = histogram.bounds[1]
        with client.pipeline() as pipe:
            observe(pipe, histogram, "m", bound)
            pipe.execute()
        [(_, counted)] = Tally(client).histogram(histogram)
    assert [count for _, count in counted.counts[:3]] == [0, 1, 1]


def test_nothing_that_a_person_wrote_is_counted(queue: JobQueue, valkey_url: str) -> None:
    queue.cancel(queue.submit(REQUEST))
    with redis.Redis.from_url(valkey_url) as client:
        assert b"secret" not in b"".join(client.hgetall("wordbrush:metrics"))
