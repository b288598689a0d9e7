"""Workers that have different models, on one pair of queues in a real Valkey."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import redis
from PIL import Image
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.serializers import JSONSerializer

from models.registry import Task
from tests.processes import until
from tests.worker.test_loading import write_models
from worker import routing
from worker.messages import Request
from worker.queue import BATCH, INTERACTIVE, JobQueue, Status, WorkerView
from worker.routing import routed_queue
from worker.settings import Settings
from worker.store import Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def jobs(settings: Settings) -> JobQueue:
    return JobQueue.from_settings(settings)


def submit(jobs: JobQueue, *models: str, batch: bool = False) -> list[str]:
    return [jobs.submit(Request(Task.GENERATE, m, "a flower"), batch=batch) for m in models]


def take(jobs: JobQueue, *served: str, timeout: int | None = None) -> str | None:
    """What a worker with the models `served` takes."""
    routed = routed_queue(jobs, lambda: served)
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


def test_a_job_that_no_worker_can_do_is_taken_in_the_end_so_that_somebody_says_so(
    jobs: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    [job] = submit(jobs, "nobody-has-it")
    assert take(jobs, "a") is None  # a worker that has it may be starting
    monkeypatch.setattr(routing, "ORPHAN_AFTER_S", 0.0)
    able = WorkerView("w", 1, "h", "cpu", (), served=("nobody-has-it",))
    jobs.announce(able)
    assert take(jobs, "a") is None
    jobs.retract(able.name)
    assert take(jobs, "a") == job


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
    [birds] = write_models(settings.checkpoints[0], tiny_model, ("birds",))
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
