"""Workers that have different models, on one pair of queues in a real Valkey."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
import redis
from PIL import Image
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.serializers import JSONSerializer
from rq.utils import as_text
from structlog.testing import capture_logs

from models.registry import Task
from tests.processes import until
from tests.tiny import write_tiny_model
from tests.worker.conftest import StartWorker
from worker.messages import Request
from worker.queue import BATCH, INTERACTIVE, JobQueue, QueueDown, Status, WorkerView
from worker.routing import ORPHAN_AFTER_S, routed_queue
from worker.settings import Settings
from worker.standing import MISSED
from worker.store import Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def jobs(settings: Settings) -> JobQueue:
    return JobQueue.from_settings(settings)


def submit(jobs: JobQueue, *models: str, batch: bool = False) -> list[str]:
    return [jobs.submit(Request(Task.GENERATE, m, "a flower"), batch=batch) for m in models]


def take(
    jobs: JobQueue, *served: str, warm: Sequence[str] | None = None, timeout: int | None = None
) -> str | None:
    """What a worker with the models `served` takes, which has those `warm` in memory, or all."""
    routed = routed_queue(jobs, lambda: served, lambda: served if warm is None else warm)
    queues = [
        routed(name, connection=jobs.connection, serializer=JSONSerializer)
        for name in (INTERACTIVE, BATCH)
    ]
    taken = routed.dequeue_any(queues, timeout, jobs.connection, serializer=JSONSerializer)
    return taken and taken[0].id


def test_a_worker_takes_the_first_job_that_it_can_do_and_leaves_the_rest_in_order(
    jobs: JobQueue, valkey_url: str
) -> None:
    one, two, three, four = submit(jobs, "a", "b", "a", "b")
    assert take(jobs, "b") == two
    assert take(jobs, "b", "a") == one
    with redis.Redis.from_url(valkey_url) as client:
        left = client.lrange(f"rq:queue:{INTERACTIVE}", 0, -1)
        in_hand = client.lrange(f"rq:queue:{INTERACTIVE}:intermediate", 0, -1)
    assert left == [three.encode(), four.encode()]
    assert in_hand == [two.encode(), one.encode()]


def test_people_go_before_batches_also_where_others_people_wait(jobs: JobQueue) -> None:
    [batch] = submit(jobs, "b", batch=True)
    submit(jobs, *["a"] * 250)
    [person] = submit(jobs, "b")
    assert [take(jobs, "b"), take(jobs, "b"), take(jobs, "b")] == [person, batch, None]


def test_a_job_that_comes_while_the_wrong_worker_waits_is_done_by_the_right_one(
    jobs: JobQueue,
) -> None:
    with ThreadPoolExecutor() as threads:
        wrong = threads.submit(take, jobs, "a", timeout=3)
        right = threads.submit(take, jobs, "b", timeout=30)
        [job] = submit(jobs, "b")
        assert right.result() == job
        with pytest.raises(DequeueTimeout):
            wrong.result()


def test_a_job_that_needs_no_loading_goes_first_but_not_for_ever(jobs: JobQueue) -> None:
    cold, *warm = submit(jobs, "b", *["a"] * 6)
    taken = [take(jobs, "a", "b", warm=["a"]) for _ in range(7)]
    assert taken == [*warm[:4], cold, *warm[4:]]


def test_a_job_is_left_to_a_worker_that_has_its_model_in_memory_but_not_for_ever(
    jobs: JobQueue,
) -> None:
    [job] = submit(jobs, "b")
    jobs.announce(WorkerView("other", 1, "h", "cpu", ("b",), served=("a", "b")))
    assert [take(jobs, "a", "b", warm=["a"]) for _ in range(5)] == [None] * 4 + [job]


def test_a_job_whose_model_nobody_has_in_memory_is_loaded_at_once(jobs: JobQueue) -> None:
    jobs.announce(WorkerView("other", 1, "h", "cpu", ("a",), served=("a", "b")))
    [job] = submit(jobs, "b")
    assert take(jobs, "a", "b", warm=["a"]) == job


def test_two_workers_with_room_for_a_model_each_load_none_for_every_job(
    jobs: JobQueue, settings: Settings, tiny_model: str, start_worker: StartWorker, photo_id: str
) -> None:
    birds = write_tiny_model(settings.checkpoints[0], domain="birds")
    for _ in range(2):
        start_worker(models_mb=1)
    asked = Request(Task.MANIPULATE, tiny_model, "0 seconds of red", image_id=photo_id)
    for model in Random(0).choices([tiny_model, birds], k=30):
        job = jobs.submit(replace(asked, model=model))
        assert jobs.wait(job, 60).status is Status.SUCCEEDED
    loads = (settings.data_dir / "loads.log").read_text().splitlines()
    assert len(loads) < 10, loads  # two at the start, one when birds are first asked for


def worker_with(*models: str) -> WorkerView:
    return WorkerView("able", 1, "h", "cpu", (), served=models)


def let_pass(jobs: JobQueue, seconds: float) -> None:
    """As if so much time had passed since jobs came and models were missed first."""
    connection = jobs.connection
    records: Any = [*connection.scan_iter("wordbrush:job:*")]
    places: list[tuple[Any, Any]] = [(key, "created_at") for key in records]
    places += [(MISSED, model) for model in connection.hkeys(MISSED)]
    for key, field in places:
        at = datetime.fromisoformat(as_text(connection.hget(key, field) or b""))
        connection.hset(key, field, (at - timedelta(seconds=seconds)).isoformat())


def test_a_job_that_no_worker_can_do_is_taken_in_the_end_so_that_somebody_says_so(
    jobs: JobQueue,
) -> None:
    [job] = submit(jobs, "nobody-has-it")
    assert take(jobs, "a") is None
    let_pass(jobs, ORPHAN_AFTER_S)
    with capture_logs() as lines:
        assert take(jobs, "a") == job
    [line] = lines
    assert (line["log_level"], line["model"], line["job_id"]) == ("warning", "nobody-has-it", job)


def test_a_job_for_what_a_worker_holds_but_finds_no_more_is_taken_in_the_end(
    jobs: JobQueue,
) -> None:
    holder = WorkerView("holder", 1, "h", "cpu", ("b",), served=("a",))
    [job] = submit(jobs, "b")
    jobs.announce(holder)
    assert take(jobs, "a") is None
    let_pass(jobs, ORPHAN_AFTER_S)
    jobs.announce(holder)
    assert take(jobs, "a") == job


@pytest.mark.parametrize("batch", [False, True])
def test_a_job_older_than_its_worker_is_away_is_left_for_when_that_comes_back(
    jobs: JobQueue, batch: bool
) -> None:
    jobs.announce(worker_with("b"))
    [job] = submit(jobs, "b", batch=batch)
    let_pass(jobs, 10 * ORPHAN_AFTER_S)
    assert take(jobs, "a") is None
    jobs.retract("able")
    assert take(jobs, "a") is None  # by a worker that was itself just started
    let_pass(jobs, ORPHAN_AFTER_S / 2)
    assert take(jobs, "a") is None
    jobs.announce(worker_with("b"))  # it was back for a moment
    jobs.retract("able")
    let_pass(jobs, ORPHAN_AFTER_S)
    assert take(jobs, "a") is None
    let_pass(jobs, ORPHAN_AFTER_S)
    assert take(jobs, "a") == job


def test_an_outage_that_is_met_while_looking_for_such_jobs_is_left_to_rq(
    jobs: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(models: object) -> None:
        raise QueueDown

    mine, _ = submit(jobs, "a", "b")
    monkeypatch.setattr(jobs, "missed_since", fail)
    assert take(jobs, "a") == mine


def test_a_job_that_came_just_now_waits_for_a_worker_however_long_none_was_there(
    jobs: JobQueue,
) -> None:
    [old] = submit(jobs, "b")
    assert take(jobs, "a") is None
    let_pass(jobs, ORPHAN_AFTER_S)
    submit(jobs, "b")
    assert [take(jobs, "a"), take(jobs, "a")] == [old, None]


def test_a_job_whose_time_was_over_when_its_turn_came_is_passed_over_and_counted(
    jobs: JobQueue,
) -> None:
    late, job = submit(jobs, "a", "a")
    jobs.connection.delete(f"rq:job:{late}")  # as its time to live does
    assert take(jobs, "a") == job
    assert list(jobs.tally().jobs()) == [("a", "expired", 1)]


def test_a_job_without_a_record_of_ours_is_taken_to_be_refused(jobs: JobQueue) -> None:
    foreign = Queue(INTERACTIVE, connection=jobs.connection, serializer=JSONSerializer)
    job = foreign.enqueue_call("os.system", args=("true",))
    assert take(jobs, "a") == job.id


def test_two_workers_with_a_model_each_do_each_their_own(
    jobs: JobQueue,
    settings: Settings,
    store: Store,
    tiny_model: str,
    processes: list[subprocess.Popen[bytes]],
) -> None:
    birds = write_tiny_model(settings.checkpoints[0], domain="birds")
    for model in (birds, tiny_model):
        environment = os.environ | settings.to_environment() | {"WORDBRUSH_MODELS": model}
        command = [sys.executable, "-m", "worker"]
        processes.append(subprocess.Popen(command, cwd=ROOT, env=environment))
    until(lambda: len(jobs.workers()) == 2)
    assert [worker.models for worker in jobs.workers()] in (
        [(birds,), (tiny_model,)],
        [(tiny_model,), (birds,)],
    )

    photo = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(photo, "PNG")
    image_id = store.put(photo.getvalue(), kind="uploads", suffix=".png")
    request = Request(Task.MANIPULATE, birds, "a red flower", image_id=image_id)
    asked = [request, *[replace(request, model=tiny_model)] * 2, request]
    ids = [jobs.submit(one) for one in asked]
    assert [jobs.wait(job_id, 60).status for job_id in ids] == [Status.SUCCEEDED] * 4
