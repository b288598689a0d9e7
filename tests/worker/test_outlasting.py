"""A real worker process whose queue server is killed and comes back, with what was on its disk."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.queue_server import find_server, write_config
from models.registry import Task
from tests.processes import until
from tests.worker.conftest import StartWorker
from worker.messages import Request
from worker.queue import JobQueue, QueueDown, Status
from worker.settings import Settings, queue_socket


class OwnServer:
    """A queue server as `wordbrush up` starts it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{queue_socket(folder)}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = find_server()
        command = [binary.path, write_config(binary, self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self._answers)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        with suppress(QueueDown):
            JobQueue.from_settings(Settings(redis_url=self.url, data_dir=self._folder)).ping()
            return True
        return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OwnServer]:
    own = OwnServer(tmp_path)
    own.start()
    yield own
    own.kill()


@pytest.fixture
def queue(settings: Settings, server: OwnServer) -> JobQueue:
    return JobQueue.from_settings(settings.model_copy(update={"redis_url": server.url}))


@pytest.fixture
def request_(photo_id: str, tiny_model: str) -> Request:
    return Request(Task.MANIPULATE, tiny_model, "2 seconds of red", image_id=photo_id)


def has_begun(settings: Settings) -> bool:
    return (settings.data_dir / "passes.log").exists()


def test_a_worker_whose_queue_server_goes_away_while_it_works_does_the_job_when_it_is_back(
    start_worker: StartWorker,
    server: OwnServer,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
) -> None:
    worker = start_worker(redis_url=server.url)
    job = queue.submit(request_)
    until(lambda: has_begun(settings))
    time.sleep(1)  # until that is on disk
    server.kill()
    time.sleep(3)  # in which the worker has its picture, and can tell nobody
    server.start()
    assert queue.wait(job, 60).status is Status.SUCCEEDED
    assert worker.poll() is None


def test_a_worker_that_is_told_to_stop_while_the_queue_server_is_away_ends_in_good_order(
    start_worker: StartWorker,
    server: OwnServer,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    worker = start_worker(redis_url=server.url)
    queue.submit(request_)
    until(lambda: has_begun(settings))
    server.kill()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert all(line.startswith("{") for line in capfd.readouterr().err.splitlines())
