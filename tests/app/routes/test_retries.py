"""A job that came to nothing is asked for again; workers are played by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.keys import KeyFile, Scope
from app.main import create_app
from app.settings import Settings
from models.registry import Task
from tests.app.conftest import picture, serving, stored
from worker.messages import Candidate, Failure, Request, Result
from worker.queue import JobQueue, Terms
from worker.records import key_of, now
from worker.store import Store

_DRAWN = Request(Task.MANIPULATE, "tagan-flowers-64", "yellow petals", seed=7)


def ask(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    """A job that says all that an edit can say."""
    said = {
        "caption": "yellow petals",
        "model": "tagan-clothes-64",
        "seed": "7",
        "variations": "3",
        "crop": "8,4,32,40",
        "full_resolution": "false",
        "format": "webp",
    }
    files = {"image": picture(), "mask": picture(format="png", mode="L")}
    job: dict[str, Any] = client.post("/manipulate", data=said | fields, files=files).json()
    return job


def fail(queue: JobQueue, job: dict[str, Any]) -> None:
    queue.finish(job["id"], Failure("Something went wrong inside", "try again", retryable=True))


@pytest.mark.parametrize("end", ["failed", "canceled", "expired"])
def test_a_job_that_came_to_nothing_is_done_again_as_it_was_asked_for(
    client: httpx.Client, queue: JobQueue, finish: Callable[[str], Result], end: str
) -> None:
    job = ask(client)
    if end == "failed":
        fail(queue, job)
    elif end == "canceled":
        client.post(job["links"]["cancel"])
    else:
        finish(job["id"])
        long_ago = (now() - timedelta(days=1)).isoformat()
        queue.connection.hset(key_of(job["id"]), "finished_at", long_ago)
    assert client.get(job["links"]["self"]).json()["status"] == end
    answer = client.post(job["links"]["retry"])
    again = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, f"/jobs/{again['id']}")
    assert (again["status"], again["id"] != job["id"]) == ("queued", True)
    assert queue.read(again["id"]).request == queue.read(job["id"]).request
    assert queue.read(again["id"]).request.mask_id
    assert client.get(job["links"]["self"]).json()["status"] == end


def test_a_job_that_is_under_way_or_succeeded_is_not_done_again(
    client: httpx.Client, queue: JobQueue, finish: Callable[[str], Result]
) -> None:
    waiting, done = ask(client), ask(client)
    finish(done["id"])
    for job, status in ((waiting, "queued"), (done, "succeeded")):
        answer = client.post(job["links"]["retry"])
        assert answer.status_code == 409
        assert f"the job is {status}, wanted" in answer.json()["detail"]
    assert queue.depth() == 2


@pytest.mark.parametrize("field", ["image_id", "image_id_to", "mask_id", "among"])
def test_without_what_it_began_from_a_job_is_not_done_again(
    client: httpx.Client, queue: JobQueue, store: Store, field: str
) -> None:
    kept = store.put(picture(), kind="uploads", suffix=".jpg")
    gone = f"uploads-{'0' * 32}.jpg"
    lost: Any = (Candidate(gone, gone),) if field == "among" else gone
    job_id = queue.submit(replace(_DRAWN, **{"image_id": kept, field: lost}))
    queue.cancel(job_id)
    answer = client.post(f"/jobs/{job_id}/retry")
    assert answer.status_code == 410
    assert "upload it again" in answer.json()["detail"]
    assert queue.depth() == 0


def test_a_model_that_is_here_no_longer_is_named(client: httpx.Client, queue: JobQueue) -> None:
    job_id = queue.submit(replace(_DRAWN, model="tagan-birds-64"))
    queue.cancel(job_id)
    answer = client.post(f"/jobs/{job_id}/retry")
    assert answer.status_code == 422
    assert "tagan-flowers-64" in answer.json()["suggestions"]


def test_asked_twice_with_one_key_it_is_done_again_once(
    client: httpx.Client, queue: JobQueue, web_settings: Settings
) -> None:
    job, other = ask(client), ask(client)
    for one in (job, other):
        client.post(one["links"]["cancel"])
    headers = {"Idempotency-Key": "again-1"}
    first, second = (client.post(job["links"]["retry"], headers=headers).json() for _ in range(2))
    assert first == second
    assert queue.depth() == 1
    assert client.post(other["links"]["retry"], headers=headers).status_code == 422
    assert len(stored(web_settings)) == 4  # photos and masks are kept once


def test_it_can_be_waited_for(
    client: httpx.Client, queue: JobQueue, finish: Callable[[str], Result]
) -> None:
    job = ask(client)
    fail(queue, job)
    headers = {"Prefer": "wait=1", "Idempotency-Key": "k"}
    answer = client.post(job["links"]["retry"], headers=headers)
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=1")
    finish(answer.json()["id"])
    assert client.post(job["links"]["retry"], headers=headers).status_code == 200


def test_who_was_to_hear_of_the_first_hears_of_the_second(
    web_settings: Settings, queue: JobQueue
) -> None:
    silent = web_settings.model_copy(update={"webhooks": False})
    hook = "https://example.org/hook?token=secret"
    for settings, url in ((web_settings, hook), (silent, None)):
        job_id = queue.submit(_DRAWN, terms=Terms(webhook=hook))
        queue.cancel(job_id)
        with serving(create_app(settings)) as address:
            again = httpx.post(f"{address}/jobs/{job_id}/retry").json()
        delivery = queue.read(again["id"]).delivery
        assert (delivery and delivery.url) == url
        assert (again["webhook"] and again["webhook"]["status"]) == (url and "waiting")


def test_a_job_that_never_was_is_not_found(client: httpx.Client) -> None:
    assert client.post("/jobs/nothing/retry").status_code == 404


def test_a_key_that_may_not_ask_may_not_ask_again(
    web_settings: Settings, queue: JobQueue, store: Store
) -> None:
    keyed = web_settings.model_copy(update={"access": "keys"})
    keys = KeyFile(keyed.keys_file)
    draws, edits = (keys.create("a test", [scope]) for scope in (Scope.GENERATE, Scope.EDIT))
    photo = store.put(picture(), kind="uploads", suffix=".jpg")
    job_id = queue.submit(replace(_DRAWN, image_id=photo))
    queue.cancel(job_id)
    with serving(create_app(keyed)) as address, httpx.Client(base_url=address) as client:
        for key, status in ((draws, 403), (edits, 202)):
            headers = {"Authorization": f"Bearer {key}"}
            assert client.post(f"/jobs/{job_id}/retry", headers=headers).status_code == status
