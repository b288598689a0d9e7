"""A web process that is told to stop while clients wait in it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.app.conftest import picture
from tests.processes import until
from worker.listing import Wanted
from worker.queue import JobQueue, Status
from worker.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def web(
    settings: Settings, tiny_model: str, free_port: int, processes: list[subprocess.Popen[bytes]]
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    command = [sys.executable, "-m", "app", "web", "--port", str(free_port)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings.to_environment())
    processes.append(process)
    with httpx.Client(base_url=f"http://127.0.0.1:{free_port}", timeout=60) as client:

        def answers() -> bool:
            with suppress(httpx.TransportError):
                return client.get("/livez").status_code == 200
            return False

        until(answers)
        yield process, client


def test_who_waits_is_answered_when_the_server_stops_and_the_job_stays(
    web: tuple[subprocess.Popen[bytes], httpx.Client], settings: Settings
) -> None:
    process, client = web
    queue = JobQueue.from_settings(settings)
    files = {"image": ("a.png", picture(format="png"))}

    def ask() -> httpx.Response:
        wish = {"caption": "a red flower"}
        return client.post("/manipulate", data=wish, files=files, headers={"Prefer": "wait=50"})

    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(ask)  # no worker is there to do it
        until(queue.depth)
        [job] = queue.page(Wanted()).entries
        with httpx.stream("GET", f"{client.base_url}/jobs/{job.id}/events", timeout=60) as stream:
            lines = stream.iter_lines()
            assert "event: status" in next(lines)
            process.send_signal(signal.SIGTERM)
            assert not any("ended" in line for line in lines)  # it is to be followed elsewhere
        answer = waiting.result()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/jobs/{job.id}"
    assert process.wait(60) == -signal.SIGTERM
    assert queue.read(job.id).status is Status.QUEUED


def test_a_port_that_is_taken_is_said_in_a_line_and_ends_the_command(
    web: tuple[subprocess.Popen[bytes], httpx.Client], settings: Settings
) -> None:
    port = web[1].base_url.port
    second = subprocess.run(
        [sys.executable, "-m", "app", "web", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | settings.to_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert second.stderr.startswith(f"wordbrush: port {port} of 127.0.0.1 is in use")
    assert second.stderr.count("\n") == 1
