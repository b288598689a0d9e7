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

from models.registry import Task
from tests.processes import until
from tests.worker.conftest import StartWorker
from worker.messages import Request
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
        "variations: Input should be less than or equal to 8": enqueue(
            settings, "worker.jobs.manipulate", **wish, variations=9
        ),
        "steps: Input should be less than or equal to 16": enqueue(
            settings, "worker.jobs.manipulate", **wish, caption_to="yellow", steps=17
        ),
        "seed: Input should be greater than or equal to 0": enqueue(
            settings, "worker.jobs.manipulate", **wish, seed=-1
        ),
        "seed: Input should be less than or equal to 4294967295": enqueue(
            settings, "worker.jobs.manipulate", **wish, seed=2**32
        ),
        "format: Input should be 'png', 'jpeg' or 'webp'": enqueue(
            settings, "worker.jobs.manipulate", **wish, format="bmp"
        ),
        "caption: String should have at most 300 characters": enqueue(
            settings, "worker.jobs.manipulate", **wish | {"caption": "red " * 76}
        ),
        "caption: Value error, there is no word in it": enqueue(
            settings, "worker.jobs.manipulate", **wish | {"caption": "?!"}
        ),
        "caption: the model knows none of its words": enqueue(
            settings, "worker.jobs.manipulate", **wish | {"caption": "unheard of"}
        ),
        "caption_to: the model knows none of its words": enqueue(
            settings, "worker.jobs.manipulate", **wish, caption_to="unheard of", steps=2
        ),
        "There is no such model": enqueue(
            settings, "worker.jobs.manipulate", **wish | {"model": "tagan-cats-64"}
        ),
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


def test_people_are_served_between_the_steps_of_another_programs_job(
    settings: Settings, tiny_model: str, image_id: str, start_worker: StartWorker
) -> None:
    queue = JobQueue.from_settings(settings)
    start_worker()
    wish = {"model": tiny_model, "caption": "2 seconds of red", "image_id": image_id}
    job = enqueue(settings, "worker.jobs.manipulate", **wish)
    until((settings.data_dir / "passes.log").exists)
    asked = Request(Task.MANIPULATE, tiny_model, "red", image_id=image_id)
    person = queue.wait(queue.submit(asked), 60)
    assert ended(job) is JobStatus.FINISHED
    job.refresh()
    assert person.finished_at is not None
    assert job.ended_at is not None
    assert person.finished_at < job.ended_at
