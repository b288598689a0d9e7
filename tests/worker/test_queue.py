"""Jobs go in, are read, waited for and canceled; each ends once. On a real Valkey."""

import json
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from models.registry import Task
from worker.messages import Crop, Failure, Metrics, OutputFile, Request, Result
from worker.queue import (
    BATCH,
    INTERACTIVE,
    JobQueue,
    QueueDown,
    QueueFull,
    Status,
    UnknownJob,
    WorkerView,
)

REQUEST = Request(
    Task.MANIPULATE, "tagan-flowers-64", "a yellow flower", image_id="u", crop=Crop(1, 2, 30, 40)
)
OUTPUT = OutputFile("results-1", "image/png", 640, 480, 7, "results-2", scores=(0.5,))
RESULT = Result((OUTPUT,), Metrics(queue_s=0.5, predict_s=0.25))
FAILURE = Failure("The picture is gone", "it was kept for a day")


@pytest.fixture
def queue(valkey_url: str) -> JobQueue:
    return JobQueue(valkey_url, max_queue=5)


@pytest.fixture
def client(valkey_url: str) -> redis.Redis:
    return redis.Redis.from_url(valkey_url)


def test_a_new_job_waits_with_its_request_whole(queue: JobQueue) -> None:
    before = datetime.now(UTC)
    view = queue.read(queue.submit(REQUEST))
    assert view.request == REQUEST
    assert view.status is Status.QUEUED
    assert before <= view.created_at <= datetime.now(UTC)
    assert (view.result, view.error, view.started_at, view.finished_at) == (None,) * 4


def test_the_position_counts_the_jobs_ahead_the_interactive_ones_first(queue: JobQueue) -> None:
    batch = [queue.submit(REQUEST, batch=True) for _ in range(2)]
    person = [queue.submit(REQUEST) for _ in range(2)]
    assert [queue.read(job).queue_position for job in person + batch] == [0, 1, 2, 3]


def test_a_job_id_given_twice_is_queued_once(queue: JobQueue) -> None:
    first = queue.submit(REQUEST, job_id="mine-1")
    second = queue.submit(replace(REQUEST, caption="another"), job_id="mine-1")
    assert first == second == "mine-1"
    assert queue.depth() == 1
    assert queue.read("mine-1").request == REQUEST


@pytest.mark.parametrize("job_id", ["a b", "a:b", "a" * 65, "../x"])
def test_a_job_id_with_strange_letters_is_refused_and_nothing_is_queued(
    queue: JobQueue, job_id: str
) -> None:
    with pytest.raises(ValueError, match="job's id"):
        queue.submit(REQUEST, job_id=job_id)
    assert queue.depth() == 0


@pytest.mark.parametrize("act", [JobQueue.read, JobQueue.cancel, lambda q, j: q.wait(j, 1)])
def test_an_unknown_job_is_said_to_be_unknown(
    queue: JobQueue, client: redis.Redis, act: Callable[[JobQueue, str], object]
) -> None:
    with pytest.raises(UnknownJob):
        act(queue, "nobody")
    assert client.dbsize() == 0


@pytest.mark.parametrize("batch", [False, True])
def test_a_full_queue_refuses_and_queues_nothing_and_the_other_has_room(
    queue: JobQueue, batch: bool
) -> None:
    for _ in range(5):
        queue.submit(REQUEST, batch=batch)
    with pytest.raises(QueueFull, match="5 jobs"):
        queue.submit(REQUEST, batch=batch)
    queue.submit(REQUEST, batch=not batch)
    assert queue.depths() == {
        "interactive": 1 if batch else 5,
        "batch": 5 if batch else 1,
    }


@pytest.mark.parametrize(
    ("outcome", "status"), [(RESULT, Status.SUCCEEDED), (FAILURE, Status.FAILED)]
)
def test_an_ended_job_has_its_outcome(
    queue: JobQueue, outcome: Result | Failure, status: Status
) -> None:
    job = queue.submit(REQUEST)
    assert queue.finish(job, outcome)
    view = queue.read(job)
    assert view.status is status
    assert outcome in (view.result, view.error)
    assert view.finished_at is not None
    assert view.expires_at is not None
    assert view.created_at <= view.finished_at < view.expires_at


def test_the_first_end_of_a_job_stands(queue: JobQueue) -> None:
    job = queue.submit(REQUEST)
    assert queue.finish(job, RESULT)
    assert not queue.finish(job, FAILURE)
    assert queue.cancel(job).status is Status.SUCCEEDED
    assert queue.read(job).result == RESULT


def test_a_job_canceled_while_it_waits_leaves_the_queue(
    queue: JobQueue, client: redis.Redis
) -> None:
    job = queue.submit(REQUEST)
    assert queue.cancel(job).status is Status.CANCELED
    assert queue.depth() == 0
    assert not client.exists(f"rq:job:{job}")
    assert queue.cancel(job).status is Status.CANCELED


def test_wait_returns_at_once_for_an_ended_job(queue: JobQueue) -> None:
    job = queue.submit(REQUEST)
    queue.finish(job, RESULT)
    assert queue.wait(job, 3600).result == RESULT


def test_wait_wakes_everybody_when_the_job_ends(queue: JobQueue) -> None:
    job = queue.submit(REQUEST)
    seen: list[Status] = []
    waiting = [
        threading.Thread(target=lambda: seen.append(queue.wait(job, 3600).status)) for _ in range(3)
    ]
    for thread in waiting:
        thread.start()
    queue.finish(job, FAILURE)
    for thread in waiting:
        thread.join(30)
    assert seen == [Status.FAILED] * 3


def test_wait_gives_up_after_its_time(queue: JobQueue) -> None:
    assert queue.wait(queue.submit(REQUEST), 0.05).status is Status.QUEUED


def test_a_job_long_ended_is_expired_and_not_unknown(valkey_url: str) -> None:
    queue = JobQueue(valkey_url, result_ttl_s=0)
    job = queue.submit(REQUEST)
    queue.finish(job, RESULT)
    view = queue.read(job)
    assert view.status is Status.EXPIRED
    assert view.result is None


def test_a_job_that_waited_too_long_is_expired(queue: JobQueue, client: redis.Redis) -> None:
    job = queue.submit(REQUEST)
    client.delete(f"rq:job:{job}")  # as its time to live does; its id stays in the queue
    assert queue.wait(job, 3).status is Status.EXPIRED


def test_a_job_that_rq_gave_up_is_failed_with_a_reason(
    queue: JobQueue, client: redis.Redis
) -> None:
    job = queue.submit(REQUEST)
    client.delete(f"rq:queue:{INTERACTIVE}")
    client.hset(f"rq:job:{job}", "status", "failed")
    view = queue.wait(job, 3600)
    assert view.status is Status.FAILED
    assert view.error is not None
    assert view.error.title == "The job was lost"


def test_no_key_lives_for_ever(queue: JobQueue, client: redis.Redis) -> None:
    queue.finish(queue.submit(REQUEST), RESULT)
    queue.cancel(queue.submit(REQUEST, batch=True))
    queue.announce(WorkerView("w", 1, "here", "cpu", ()))
    lists = {b"rq:queues", f"rq:queue:{INTERACTIVE}".encode(), f"rq:queue:{BATCH}".encode()}
    lists.add(b"wordbrush:metrics")  # counters only ever grow
    endless = {key for key in client.keys() if client.ttl(key) == -1}  # noqa: SIM118
    assert endless <= lists


def test_jobs_are_plain_json_and_name_one_function(queue: JobQueue, client: redis.Redis) -> None:
    job = queue.submit(REQUEST)
    data = client.hget(f"rq:job:{job}", "data")
    assert isinstance(data, bytes)
    assert json.loads(zlib.decompress(data)) == ["worker.jobs.run", None, [job], {}]


def test_a_live_worker_is_listed_with_its_models(queue: JobQueue) -> None:
    worker = WorkerView("w1", 42, "here", "cpu", ("tagan-flowers-64",))
    queue.announce(worker)
    queue.announce(WorkerView("w2", 43, "here", "cpu", ("tagan-clothes-64",)))
    queue.retract("w2")
    assert queue.workers() == [worker]
    assert queue.ready_models() == {"tagan-flowers-64"}


def test_a_worker_not_heard_of_is_no_longer_listed(queue: JobQueue, client: redis.Redis) -> None:
    queue.announce(WorkerView("w1", 42, "here", "cpu", ()))
    assert 0 < client.ttl("wordbrush:worker:w1") <= 15
    client.delete("wordbrush:worker:w1")
    assert queue.workers() == []
    assert client.scard("wordbrush:workers") == 0


def test_a_queue_server_that_is_away_is_named(tmp_path: Path) -> None:
    away = JobQueue(f"unix://{tmp_path}/nobody.sock")
    for act in (away.ping, away.depth, away.workers, lambda: away.submit(REQUEST)):
        with pytest.raises(QueueDown):
            act()


def test_ping_says_nothing_when_all_is_well(queue: JobQueue) -> None:
    queue.ping()


def test_the_web_processs_side_needs_no_torch() -> None:
    code = "import sys, worker.queue, worker.store; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
