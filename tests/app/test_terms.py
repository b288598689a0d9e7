"""`Idempotency-Key` and request ids, as the routes that take work honour them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from app.settings import Settings
from tests.app.conftest import picture, stored
from worker.queue import JobQueue

_KEY = {"Idempotency-Key": "order-66/a"}
_FIELDS = {"caption": "this flower has yellow petals", "variations": "2"}


def ask(
    client: httpx.Client,
    *,
    photo: bytes | None = None,
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> httpx.Response:
    files = {"image": ("photo.jpg", photo or picture())}
    return client.post("/manipulate", data=_FIELDS | fields, files=files, headers=headers or _KEY)


def test_the_same_request_with_the_same_key_is_the_same_job(
    client: httpx.Client, queue: JobQueue, web_settings: Settings
) -> None:
    first, again = ask(client), ask(client)
    assert again.status_code == 202
    assert again.json() == first.json()
    assert queue.depth() == 1
    assert len(stored(web_settings)) == 1


def test_it_is_still_the_same_job_when_it_has_ended(client: httpx.Client, queue: JobQueue) -> None:
    job = ask(client).json()["id"]
    queue.cancel(job)
    again = ask(client)
    assert (again.status_code, again.json()["id"]) == (200, job)
    assert queue.depth() == 0


@pytest.mark.parametrize(
    "change", [{"caption": "red petals"}, {"seed": "7"}, {"photo": picture(70, 48)}]
)
def test_another_request_with_that_key_is_refused(
    client: httpx.Client, queue: JobQueue, web_settings: Settings, change: dict[str, Any]
) -> None:
    ask(client)
    answer = ask(client, **change)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert queue.depth() == 1
    assert len(stored(web_settings)) == 1


def test_another_key_or_none_is_another_job(client: httpx.Client, queue: JobQueue) -> None:
    for headers in (_KEY, {"Idempotency-Key": "other"}, {"X-Other": "none"}, {"X-Other": "none"}):
        ask(client, headers=headers)
    assert queue.depth() == 4


def test_many_at_one_time_with_one_key_come_to_one_job(
    client: httpx.Client, queue: JobQueue
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(client), range(8)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert queue.depth() == 1


def test_a_key_is_forgotten_after_a_day(client: httpx.Client, queue: JobQueue) -> None:
    ask(client)
    [key] = queue.connection.keys("wordbrush:idempotency:*")
    assert 23 * 3600 < queue.connection.ttl(key) <= 24 * 3600
    assert b"order" not in key


def test_a_refused_request_does_not_use_its_key_up(client: httpx.Client, queue: JobQueue) -> None:
    assert ask(client, caption="").status_code == 422
    assert ask(client).status_code == 202


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_key_that_is_none_is_refused(client: httpx.Client, queue: JobQueue, key: str) -> None:
    answer = ask(client, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert queue.depth() == 0


def test_a_job_knows_the_request_that_it_came_with(client: httpx.Client) -> None:
    answer = ask(client, headers={"X-Request-ID": "mine-1"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "mine-1"
    assert client.get(answer.headers["location"]).json()["request_id"] == "mine-1"
