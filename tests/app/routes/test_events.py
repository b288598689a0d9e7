"""A job's events over a real socket, with more than one web process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from models.registry import Task
from tests.app.conftest import serving
from tests.processes import until
from worker.messages import Failure, Request, Result
from worker.queue import JobQueue, Status

_REQUEST = Request(Task.MANIPULATE, "tagan-flowers-64", "yellow petals")


@pytest.fixture
def job_id(queue: JobQueue) -> str:
    return queue.submit(_REQUEST)


def told(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """The events in a stream of lines, each with its fields and its data read."""
    event: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line and event:
            yield event
            event = {}
        elif name == "data":
            event["data"] = json.loads(value)
        elif name:
            event[name] = value


def follow(client: httpx.Client, job_id: str, after: str | None = None) -> list[dict[str, Any]]:
    headers = {"Last-Event-ID": after} if after else {}
    with client.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return list(told(answer.iter_lines()))


def stages(events: list[dict[str, Any]]) -> list[tuple[str, float]]:
    return [(e["data"]["status"], e["data"]["progress"]) for e in events if e["event"] == "status"]


def work(queue: JobQueue, job_id: str) -> None:
    """What a worker says of a job before its end."""
    queue.connection.lpop("rq:queue:wordbrush-interactive")
    queue.mark(job_id, Status.STARTING)
    queue.mark(job_id, Status.PROCESSING)
    queue.advance(job_id, 0.5)


_STAGES = [("queued", 0), ("starting", 0), ("processing", 0), ("processing", 0.5)]


def test_events_come_while_the_job_goes_on_and_end_with_it(
    client: httpx.Client, queue: JobQueue, job_id: str, finish: Callable[[str], Result]
) -> None:
    with client.stream("GET", f"/jobs/{job_id}/events") as answer:
        events = told(answer.iter_lines())
        assert next(events)["data"]["status"] == "queued"
        assert next(events)["data"]["queue_position"] == 0
        work(queue, job_id)
        rest = [next(events) for _ in _STAGES[1:]]
        assert stages(rest) == _STAGES[1:]
        finish(job_id)
        ended = next(events)
        assert ended["event"] == "ended"
        assert ended["data"]["job"] == client.get(f"/jobs/{job_id}").json()
        assert next(events, None) is None


def test_whoever_was_cut_off_goes_on_after_the_last_event_and_misses_none(
    client: httpx.Client, queue: JobQueue, job_id: str, finish: Callable[[str], Result]
) -> None:
    work(queue, job_id)
    finish(job_id)
    first = follow(client, job_id)
    assert stages(first) == _STAGES
    again = follow(client, job_id, after=first[1]["id"])
    assert stages(again) == _STAGES[2:]
    assert [event["event"] for event in again][-1] == "ended"


def test_no_more_than_the_newest_events_are_kept(queue: JobQueue, job_id: str) -> None:
    for step in range(200):
        queue.advance(job_id, step / 200)
    assert queue.connection.xlen(f"wordbrush:events:{job_id}") == 64
    assert queue.connection.ttl(f"wordbrush:events:{job_id}") > 0


def test_a_canceled_job_ends_its_events(client: httpx.Client, queue: JobQueue, job_id: str) -> None:
    queue.cancel(job_id)
    queue.finish(job_id, Failure("Too late", "it was canceled"))
    assert follow(client, job_id)[-1]["data"]["status"] == "canceled"


def test_a_job_that_was_lost_ends_its_events_though_nobody_told(
    client: httpx.Client, queue: JobQueue, job_id: str
) -> None:
    queue.connection.lpop("rq:queue:wordbrush-interactive")
    queue.connection.hset(f"rq:job:{job_id}", "status", "failed")
    assert follow(client, job_id)[-1]["data"]["job"]["error"]["title"] == "The job was lost"


def test_a_new_place_in_the_queue_is_told(
    client: httpx.Client, queue: JobQueue, job_id: str
) -> None:
    second = queue.submit(_REQUEST)
    with client.stream("GET", f"/jobs/{second}/events") as answer:
        places = (e["data"]["queue_position"] for e in told(answer.iter_lines()) if "id" not in e)
        assert next(places) == 1
        queue.cancel(job_id)
        assert next(places) == 0


def test_a_silent_stream_has_comments(
    client: httpx.Client, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.05)
    with client.stream("GET", f"/jobs/{job_id}/events") as answer:
        assert any(line == ": ping" for line in answer.iter_lines())


def test_many_follow_one_job_through_two_web_processes(
    web_settings: Settings,
    client: httpx.Client,
    queue: JobQueue,
    job_id: str,
    finish: Callable[[str], Result],
    free_port: int,
    processes: list[subprocess.Popen[bytes]],
) -> None:
    command = [sys.executable, "-m", "app", "web", "--port", str(free_port)]
    environment = os.environ | web_settings.to_environment()
    processes.append(
        subprocess.Popen(command, cwd=Path(__file__).resolve().parents[3], env=environment)
    )
    heard: list[list[dict[str, Any]]] = []
    with httpx.Client(base_url=f"http://127.0.0.1:{free_port}", timeout=20) as other:
        until(lambda: _is_up(other))
        following = [
            Thread(target=lambda one=one: heard.append(follow(one, job_id)))
            for one in (client, other, client, other)
        ]
        for thread in following:
            thread.start()
        work(queue, job_id)
        finish(job_id)
        for thread in following:
            thread.join(30)
    assert [stages(events) for events in heard] == [_STAGES] * 4


def _is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").is_success
    except httpx.TransportError:
        return False


def test_one_stream_too_many_is_refused_and_a_closed_one_makes_room(
    web_settings: Settings, queue: JobQueue, job_id: str
) -> None:
    narrow = web_settings.model_copy(update={"max_followers": 1})
    with serving(create_app(narrow)) as address, httpx.Client(base_url=address) as client:
        with client.stream("GET", f"/jobs/{job_id}/events") as answer:
            lines = answer.iter_lines()  # held: the stream is closed with it
            next(lines)
            refused = client.get(f"/jobs/{job_id}/events")
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "5"
        queue.cancel(job_id)
        until(lambda: client.get(f"/jobs/{job_id}/events").status_code == 200, 10)


@pytest.mark.parametrize("last", ["nobody", "1", "1-", "-1-1", "1-1\u00e9"])
def test_a_last_event_that_is_none_is_refused(client: httpx.Client, job_id: str, last: str) -> None:
    headers = {"Last-Event-ID": last.encode()}
    assert client.get(f"/jobs/{job_id}/events", headers=headers).status_code == 422  # type: ignore[arg-type]


def test_a_job_that_never_was_has_no_events(client: httpx.Client) -> None:
    answer = client.get("/jobs/nobody/events")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
