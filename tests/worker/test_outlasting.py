"""A real worker process whose queue server is killed and comes back, with what was on its disk."""

import signal
import time

import pytest

from models.registry import Task
from tests.processes import until
from tests.queue_server import OwnServer
from tests.worker.conftest import StartWorker
from worker.messages import Request
from worker.queue import JobQueue, Status
from worker.settings import Settings


@pytest.fixture
def queue(settings: Settings, own_server: OwnServer) -> JobQueue:
    return JobQueue.from_settings(settings.model_copy(update={"redis_url": own_server.url}))


@pytest.fixture
def request_(photo_id: str, tiny_model: str) -> Request:
    return Request(Task.MANIPULATE, tiny_model, "2 seconds of red", image_id=photo_id)


def has_begun(settings: Settings) -> bool:
    return (settings.data_dir / "passes.log").exists()


def test_a_worker_whose_queue_server_goes_away_while_it_works_does_the_job_when_it_is_back(
    start_worker: StartWorker,
    own_server: OwnServer,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
) -> None:
    worker = start_worker(redis_url=own_server.url)
    job = queue.submit(request_)
    until(lambda: has_begun(settings))
    time.sleep(1)  # until that is on disk
    own_server.kill()
    time.sleep(3)  # in which the worker has its picture, and can tell nobody
    own_server.start()
    assert queue.wait(job, 60).status is Status.SUCCEEDED
    assert worker.poll() is None


def test_a_worker_that_is_told_to_stop_while_the_queue_server_is_away_ends_in_good_order(
    start_worker: StartWorker,
    own_server: OwnServer,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    worker = start_worker(redis_url=own_server.url)
    queue.submit(request_)
    until(lambda: has_begun(settings))
    own_server.kill()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert all(line.startswith("{") for line in capfd.readouterr().err.splitlines())
