"""What docs/queue.md promises to other programs, with their means: RQ and the store's files."""

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fsspec.core import url_to_fs
from PIL import Image
from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from tests.processes import until
from worker.queue import JobQueue
from worker.settings import Settings
from worker.store import Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def worker(settings: Settings, tiny_model: str, processes: list[subprocess.Popen[bytes]]) -> None:
    environment = os.environ | settings.to_environment()
    processes.append(subprocess.Popen([sys.executable, "-m", "worker"], cwd=ROOT, env=environment))
    until(JobQueue.from_settings(settings).ready_models)


@pytest.fixture
def image_id(store: Store) -> str:
    data = BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((64, 48)).save(data, "JPEG")
    return store.put(data.getvalue(), kind="uploads", suffix=".jpeg")


def enqueue(settings: Settings, function: str, **fields: Any) -> Job:
    connection = Redis.from_url(settings.redis_url)
    queue = Queue("wordbrush-batch", connection=connection, serializer=JSONSerializer)
    return queue.enqueue(function, kwargs=fields, result_ttl=3600)


def ended(job: Job) -> JobStatus | None:
    until(lambda: job.get_status() in (JobStatus.FINISHED, JobStatus.FAILED))
    return job.get_status()


@pytest.mark.usefixtures("worker")
def test_a_job_of_another_program_returns_its_pictures_and_a_wrong_one_says_why(
    settings: Settings, tiny_model: str, image_id: str
) -> None:
    wish = {"model": tiny_model, "caption": "red petals", "image_id": image_id}
    job = enqueue(settings, "worker.jobs.manipulate", **wish, variations=2)
    assert ended(job) is JobStatus.FINISHED
    outputs = job.return_value()["outputs"]
    assert len(outputs) == 2
    kind, name = outputs[0]["image"].split("-", 1)
    files, root = url_to_fs(settings.store_url)
    assert Image.open(BytesIO(files.cat_file(f"{root}/{kind}/{name}"))).size == (64, 48)

    wrong = {
        "there is no field colour": enqueue(
            settings, "worker.jobs.manipulate", **wish, colour="red"
        ),
        "caption: Field required": enqueue(settings, "worker.jobs.generate", model=tiny_model),
        "The model can't do this": enqueue(
            settings, "worker.jobs.generate", model=tiny_model, caption="red"
        ),
        "The picture is gone": enqueue(
            settings, "worker.jobs.manipulate", **wish | {"image_id": "uploads-" + 32 * "0"}
        ),
    }
    for why, job in wrong.items():
        assert ended(job) is JobStatus.FAILED
        result = job.latest_result()
        assert result is not None
        assert why in (result.exc_string or "")
