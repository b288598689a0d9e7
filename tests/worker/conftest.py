"""Real worker processes, of models that take as long as captions say."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.collector import collector
from tests.processes import until
from worker.queue import JobQueue
from worker.settings import Settings
from worker.store import Store

ROOT = Path(__file__).resolve().parents[2]
Worker = subprocess.Popen[bytes]
StartWorker = Callable[..., Worker]


@pytest.fixture
def photo_id(store: Store) -> str:
    """Of an uploaded photo."""
    data = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(data, "PNG")
    return store.put(data.getvalue(), kind="uploads", suffix=".png")


@pytest.fixture
def start_worker(settings: Settings, tiny_model: str, processes: list[Worker]) -> StartWorker:
    """Starts a worker and waits until it is ready; further settings by name."""

    def start(**changes: object) -> Worker:
        own = settings.model_copy(update=changes)
        environment, queue = own.to_environment(), JobQueue.from_settings(own)
        command = [sys.executable, "-m", "tests.worker.paced_worker"]
        worker = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
        processes.append(worker)
        until(lambda: any(view.pid == worker.pid for view in queue.workers()))
        return worker

    return start


@pytest.fixture
def spans_sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What workers that are started in this test send to a collector of traces."""
    with collector() as (sending, taken):
        for name, value in sending.items():
            monkeypatch.setenv(name, value)
        yield taken
