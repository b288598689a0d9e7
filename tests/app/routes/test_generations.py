import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from threading import Thread
from typing import Any

import httpx
import pytest
from PIL import Image

from app.main import create_app
from app.settings import Settings
from models.registry import Task
from tests.app.conftest import serving, stored, write_checkpoint
from tests.processes import until
from tests.tiny import write_tiny_model
from worker.messages import Result
from worker.pictures import read_parameters
from worker.queue import JobQueue
from worker.settings import Settings as SharedSettings

_CAPTION = "this flower has yellow petals"
_MODEL = "attngan-flowers-64"


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """Settings of a web process that offers a model that draws beside those that edit."""
    write_checkpoint(web_settings.checkpoints[0], system="attngan")
    return web_settings


def ask(
    client: httpx.Client, headers: dict[str, str] | None = None, **fields: Any
) -> httpx.Response:
    return client.post("/generate", json={"caption": _CAPTION} | fields, headers=headers)


def test_a_generation_is_accepted_with_the_address_of_its_job(client: httpx.Client) -> None:
    answer = ask(client)
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}" == job["links"]["self"]
    assert answer.headers["retry-after"] == "1"
    assert (job["status"], job["task"], job["image_id"]) == ("queued", "generate", None)
    assert client.get(job["links"]["self"]).json() == job


def test_a_caption_in_letters_that_a_model_of_letters_does_not_read_is_refused(
    web_settings: Settings, client: httpx.Client
) -> None:
    write_checkpoint(web_settings.checkpoints[0], system="stackgan", words=())
    assert (
        ask(client, model="stackgan-flowers-64", caption="a zygomorphic flowr").status_code == 202
    )
    refused = ask(client, model="stackgan-flowers-64", caption="\u0446\u0432\u0435\u0442")
    assert refused.status_code == 422
    assert refused.json()["suggestions"] == ["this flower has yellow petals"]


def test_without_a_model_it_is_one_that_can_generate(client: httpx.Client) -> None:
    assert ask(client).json()["model"] == _MODEL


def test_what_was_asked_for_reaches_the_queue(client: httpx.Client, queue: JobQueue) -> None:
    answer = ask(client, model=_MODEL, seed=4294967295, variations=3, format="webp")
    request = queue.read(answer.json()["id"]).request
    assert (request.task, request.model, request.caption) == (Task.GENERATE, _MODEL, _CAPTION)
    assert (request.seed, request.variations, request.format) == (4294967295, 3, "webp")


def test_a_whole_number_may_be_written_with_a_point(client: httpx.Client, queue: JobQueue) -> None:
    answer = ask(client, caption_to="red petals", seed=7.0, steps=3.0, variations=1.0)
    request = queue.read(answer.json()["id"]).request
    assert (request.seed, request.steps, request.variations) == (7, 3, 1)


def test_an_interpolation_to_another_caption_reaches_the_queue(
    client: httpx.Client, queue: JobQueue
) -> None:
    job = ask(client, caption_to="red petals", steps=5).json()
    assert job["caption_to"] == "red petals"
    request = queue.read(job["id"]).request
    assert (request.caption_to, request.steps, request.image_id_to) == ("red petals", 5, None)


def test_without_a_seed_one_is_drawn_and_told(client: httpx.Client) -> None:
    seeds = {ask(client).json()["seed"] for _ in range(3)}
    assert len(seeds) == 3


def test_an_unknown_word_is_reported_and_does_no_harm(client: httpx.Client) -> None:
    job = ask(client, caption="red flowr").json()
    assert [word["word"] for word in job["unknown_words"]] == ["flowr"]


def test_a_caption_of_unknown_words_alone_is_refused_with_words_to_try(
    client: httpx.Client, queue: JobQueue
) -> None:
    answer = ask(client, caption="crimson blossom")
    assert answer.status_code == 422
    assert "red" in answer.json()["suggestions"]
    assert queue.depth() == 0


def test_a_model_that_only_edits_is_refused_with_those_that_draw(
    client: httpx.Client, queue: JobQueue
) -> None:
    answer = ask(client, model="tagan-flowers-64")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "model"
    assert answer.json()["suggestions"] == [_MODEL]
    assert queue.depth() == 0


REFUSALS = {
    "no caption": ({"caption": ""}, "caption"),
    "a caption too long": ({"caption": "red " * 80}, "caption"),
    "a caption without a word": ({"caption": "?! ..."}, "caption"),
    "a caption that is a number": ({"caption": 7}, "caption"),
    "no such model": ({"model": "attngan-cars-64"}, "model"),
    "a seed too large": ({"seed": 2**32}, "seed"),
    "a seed below zero": ({"seed": -1}, "seed"),
    "a seed in quotes": ({"seed": "7"}, "seed"),
    "a seed with a fraction": ({"seed": 7.5}, "seed"),
    "too many variations": ({"variations": 9}, "variations"),
    "no variation": ({"variations": 0}, "variations"),
    "no such format": ({"format": "gif"}, "format"),
}


@pytest.mark.parametrize(("fields", "field"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_names_the_field_and_queues_nothing(
    client: httpx.Client, queue: JobQueue, fields: dict[str, Any], field: str
) -> None:
    answer = ask(client, **fields)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert queue.depth() == 0


@pytest.mark.parametrize("body", [b'{"caption": ', b'{"caption": "\xff"}'])
def test_a_body_that_cannot_be_parsed_is_a_bad_request(
    client: httpx.Client, queue: JobQueue, body: bytes
) -> None:
    answer = client.post("/generate", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert queue.depth() == 0


@pytest.mark.parametrize("body", [{"json": ["red"]}, {"data": {"caption": "red"}}, {}])
def test_a_body_that_is_no_object_is_refused_as_a_whole(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    answer = client.post("/generate", **body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["body"]


def test_waiting_gives_the_finished_job(
    client: httpx.Client, queue: JobQueue, finish: Callable[[str], Result]
) -> None:
    def work() -> None:
        popped: Any = queue.connection.blpop(["rq:queue:wordbrush-interactive"], 60)
        finish(popped[1].decode())

    worker = Thread(target=work)
    worker.start()
    answer = ask(client, {"Prefer": "wait=5"})
    worker.join()
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=5"
    assert answer.json()["status"] == "succeeded"


def test_a_full_queue_is_said(web_settings: Settings) -> None:
    full = web_settings.model_copy(update={"max_queue": 1})
    with serving(create_app(full)) as address, httpx.Client(base_url=address) as client:
        assert ask(client).status_code == 202
        answer = ask(client)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


def test_a_worker_draws_the_same_pictures_for_the_same_seed(
    settings: SharedSettings, processes: list[subprocess.Popen[bytes]]
) -> None:
    model = write_tiny_model(settings.checkpoints[0], "attngan")
    web_settings = Settings(**settings.model_dump(), max_wait_s=60)
    environment = os.environ | settings.to_environment()
    processes.append(subprocess.Popen([sys.executable, "-m", "worker"], env=environment))
    with (
        serving(create_app(web_settings)) as address,
        httpx.Client(base_url=address, timeout=90) as client,
    ):
        until(lambda: client.get("/readyz").status_code == 200)
        answers = [
            ask(client, {"Prefer": "wait=60"}, model=model, seed=7, variations=2) for _ in range(2)
        ]
        jobs = [answer.json() for answer in answers]
        drawn = [[client.get(made["image"]).content for made in job["outputs"]] for job in jobs]
    assert [(job["status"], job["error"]) for job in jobs] == 2 * [("succeeded", None)]
    assert [made["seed"] for made in jobs[0]["outputs"]] == [7, 8]
    assert drawn[0] == drawn[1]
    assert drawn[0][0] != drawn[0][1]
    with Image.open(BytesIO(drawn[0][0])) as picture:
        assert (picture.format, picture.size) == ("PNG", (16, 16))
    parameters = read_parameters(drawn[0][1])
    assert parameters == {"task": "generate", "model": model, "caption": _CAPTION, "seed": "8"}
    assert all("results" in path.parts for path in stored(web_settings))
