import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from models.registry import Task
from tests.app.conftest import picture, serving, stored, write_checkpoint
from tests.processes import until
from tests.tiny import write_tiny_model
from worker.messages import Candidate, Found, Match, Result
from worker.queue import JobQueue
from worker.settings import Settings as SharedSettings

_MODEL = "tirg-flowers-64"


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """Settings of a web process that offers a model that searches beside those that edit."""
    write_checkpoint(web_settings.checkpoints[0], system="tirg")
    return web_settings


def upload(client: httpx.Client) -> str:
    image_id: str = client.post("/images", files={"image": picture()}).json()["image_id"]
    return image_id


def test_a_search_is_accepted_with_the_address_of_its_job(client: httpx.Client) -> None:
    answer = client.get("/search", params={"caption": "red"})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}" == job["links"]["self"]
    assert answer.headers["cache-control"] == "no-store"
    assert (job["status"], job["task"], job["model"]) == ("queued", "search", _MODEL)
    assert (job["matches"], job["searched"]) == ([], None)
    assert client.get(job["links"]["self"]).json() == job


def test_what_was_asked_for_reaches_the_queue(client: httpx.Client, queue: JobQueue) -> None:
    image_id, other = upload(client), upload(client)
    asked: dict[str, Any] = {"image_id": image_id, "caption": "but red", "limit": 5}
    asked["crop"] = "0,0,32,32"
    answer = client.get("/search", params=asked | {"model": _MODEL, "among": [other, other]})
    request = queue.read(answer.json()["id"]).request
    assert (request.task, request.model, request.caption) == (Task.SEARCH, _MODEL, "but red")
    assert (request.image_id, request.limit) == (image_id, 5)
    assert request.crop is not None
    assert request.among == (Candidate(other, other),)


def test_a_photo_can_be_sent_along(client: httpx.Client, queue: JobQueue) -> None:
    answer = client.post("/search", files={"image": picture()}, data={"caption": "but red"})
    job = answer.json()
    assert answer.status_code == 202
    assert queue.read(job["id"]).request.image_id == job["image_id"]
    assert client.get(f"/images/{job['image_id']}").content == picture()


def test_an_output_of_a_job_can_be_looked_through(
    client: httpx.Client, queue: JobQueue, finish: Callable[[str], Result]
) -> None:
    edit = client.post("/manipulate", files={"image": picture()}, data={"caption": "red"}).json()
    result = finish(edit["id"])
    link = f"/jobs/{edit['id']}/outputs/0/image"
    answer = client.get("/search", params={"caption": "red", "among": link})
    request = queue.read(answer.json()["id"]).request
    assert request.among == (Candidate(link, result.outputs[0].image),)


def test_matches_are_told_by_their_links(client: httpx.Client, queue: JobQueue) -> None:
    image_id, link = "uploads-" + "0" * 32 + ".png", "/jobs/a/outputs/0/image"
    job_id = client.get("/search", params={"caption": "red"}).json()["id"]
    matches = (
        Match("library", "shoes/a b.jpg", 0.9),
        Match("among", image_id, 0.8),
        Match("among", link, 0.7),
    )
    queue.finish(job_id, Result((), found=Found(matches, searched=12, left=3)))
    job = client.get(f"/jobs/{job_id}").json()
    told = [(m["image"], m["name"], m["image_id"], m["score"]) for m in job["matches"]]
    assert told == [
        ("/library/shoes/a%20b.jpg", "shoes/a b.jpg", None, 0.9),
        (f"/images/{image_id}", None, image_id, 0.8),
        (link, None, None, 0.7),
    ]
    assert (job["searched"], job["not_yet_searched"], job["outputs"]) == (12, 3, [])


REFUSALS = {
    "neither words nor a picture": ({}, "caption"),
    "a caption without a word": ({"caption": "?!"}, "caption"),
    "words that the model does not know": ({"caption": "crimson blossom"}, "caption"),
    "a model that only edits": ({"caption": "red", "model": "tagan-flowers-64"}, "model"),
    "a picture that is not kept": ({"image_id": "uploads-" + "0" * 32}, "image_id"),
    "a picture by another name": ({"image_id": "results-" + "0" * 32}, "image_id"),
    "a crop of nothing": ({"caption": "red", "crop": "0,0,32,32"}, "crop"),
    "no match": ({"caption": "red", "limit": 0}, "limit"),
    "too many matches": ({"caption": "red", "limit": 101}, "limit"),
    "among what is not kept": ({"caption": "red", "among": "uploads-" + "0" * 32}, "among"),
    "among a job's that never was": (
        {"caption": "red", "among": "/jobs/a/outputs/0/image"},
        "among",
    ),
    "among what is no picture of ours": ({"caption": "red", "among": "/etc/passwd"}, "among.0"),
}


@pytest.mark.parametrize(("fields", "field"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_names_the_field_and_queues_nothing(
    client: httpx.Client, queue: JobQueue, fields: dict[str, Any], field: str
) -> None:
    answers = [client.get("/search", params=fields), client.post("/search", data=fields)]
    for answer in answers:
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
    assert queue.depth() == 0


def test_a_refused_photo_is_not_kept(client: httpx.Client, web_settings: Settings) -> None:
    answer = client.post("/search", files={"image": picture()}, data={"caption": "blossom"})
    assert answer.status_code == 422
    assert stored(web_settings) == []


def test_a_photo_and_an_image_id_are_too_many(client: httpx.Client) -> None:
    answer = client.post(
        "/search", files={"image": picture()}, data={"image_id": upload(client), "caption": "red"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "image"


def test_a_worker_finds_pictures_of_the_library(
    settings: SharedSettings, tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    model = write_tiny_model(settings.checkpoints[0], "tirg")
    library = tmp_path / "library"
    library.mkdir()
    for name in ("one.jpg", "two.jpg"):
        (library / name).write_bytes(picture())
    web_settings = Settings(**settings.model_dump() | {"library": library}, max_wait_s=60)
    environment = os.environ | web_settings.to_environment()
    processes.append(subprocess.Popen([sys.executable, "-m", "worker"], env=environment))
    with (
        serving(create_app(web_settings)) as address,
        httpx.Client(base_url=address, timeout=90) as client,
    ):
        until(lambda: client.get("/readyz").status_code == 200)
        asked = {"caption": "a red flower", "model": model}
        answer = client.get("/search", params=asked, headers={"Prefer": "wait=60"})
        job = answer.json()
        pictures = [client.get(match["image"]).content for match in job["matches"]]
    assert answer.status_code == 200
    assert (job["status"], job["searched"], job["error"]) == ("succeeded", 2, None)
    assert pictures == [picture(), picture()]
    assert json.dumps(job).count("/library/") == 2
