"""One edit through real processes, with its logs and its trace: whole, and without what is private.

A web server with API keys and a worker run as they do in earnest.
"""

import json
import os
import signal
import subprocess
import sys
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app.keys import KeyFile, Scope
from tests.app.conftest import picture
from tests.collector import collector, spans_in
from tests.processes import until
from worker.queue import JobQueue
from worker.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
CAPTION = "a red flower for my xylophonist"  # the last word is in no vocabulary and no code
REQUEST_ID = "the-one-we-follow"


@dataclass(frozen=True)
class Story:
    """What is left when the processes have ended."""

    web: list[dict[str, Any]]
    worker: list[dict[str, Any]]
    traces: list[bytes]
    job: dict[str, Any]
    key: str


@pytest.fixture
def story(settings: Settings, tiny_model: str, free_port: int) -> Story:
    key = KeyFile(settings.data_dir / "keys.json").create("a test", [Scope.EDIT, Scope.READ])
    logs = {name: settings.data_dir / f"{name}.log" for name in ("web", "worker")}
    with collector() as (sending, traces):
        environment = os.environ | settings.to_environment() | sending
        commands = {
            "web": ["-m", "app", "web", "--access", "keys", "--port", str(free_port)],
            "worker": ["-m", "worker"],
        }
        processes = []
        for name, command in commands.items():
            with logs[name].open("wb") as log:
                processes.append(
                    subprocess.Popen(
                        [sys.executable, *command], cwd=ROOT, env=environment, stderr=log
                    )
                )
        try:
            job = _ask(f"http://127.0.0.1:{free_port}", key, settings)
        finally:
            for process in processes:
                process.terminate()
            codes = [process.wait(60) for process in processes]
        assert codes == [-signal.SIGTERM, 0]  # uvicorn ends by the signal, when all is done
    lines = {
        name: [json.loads(line) for line in log.read_text().splitlines()]
        for name, log in logs.items()
    }
    return Story(lines["web"], lines["worker"], traces, job, key)


def _ask(address: str, key: str, settings: Settings) -> dict[str, Any]:
    """An edit, and what else might leave a caption or a key in a log; the edit's job."""
    until(JobQueue.from_settings(settings).ready_models)
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        until(lambda: _answers(client))
        followed = {"X-Request-ID": REQUEST_ID, "Prefer": "wait=50"}
        files = {"image": ("xylophonist.png", picture(format="png"), "image/png")}
        job = client.post("/manipulate", data={"caption": CAPTION}, files=files, headers=followed)
        photo = client.post("/images", files={"image": picture(format="png")}).json()["image_id"]
        line = json.dumps({"caption": CAPTION, "image_id": photo, "model": job.json()["model"]})
        batch = client.post("/batches", files={"items": ("items.jsonl", line)}).json()["links"]
        until(lambda: client.get(batch["self"]).json()["status"] == "succeeded")
        client.get("/captions/check", params={"caption": CAPTION})
        client.get(f"/{CAPTION}")
        client.get(f"/jobs/{CAPTION}")
        client.post("/manipulate", data={"caption": CAPTION}, files={"image": b"no picture"})
        client.post("/generate", content=CAPTION)
        httpx.get(f"{address}/models", headers={"Authorization": "Bearer wb_wrong"})
        found: dict[str, Any] = job.raise_for_status().json()
        return found


def _answers(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return client.get("/readyz").status_code == 200
    return False


def test_a_job_is_followed_through_both_processes_and_nothing_private_is_told(
    story: Story,
) -> None:
    assert story.job["status"] == "succeeded"

    [asked] = [line for line in story.web if line.get("request_id") == REQUEST_ID]
    assert (asked["method"], asked["route"], asked["status"]) == ("POST", "/manipulate", 200)
    assert asked["seconds"] > 0
    assert asked["key_id"] == story.key.split("_")[1]
    [done] = [line for line in story.worker if line["event"] == "job"]
    assert done["request_id"] == REQUEST_ID
    assert (done["job_id"], done["model"]) == (story.job["id"], "tagan-flowers-16")
    assert done["status"] == "succeeded"
    assert {"queue_s", "load_s", "predict_s", "batch_size"} <= done.keys()
    assert {line["status"] for line in story.web if line["event"] == "request"} >= {401, 404, 415}

    spans = spans_in(story.traces)
    [request] = [span for span in spans if span.name == "POST /manipulate" and _is_of(span)]
    [job] = [span for span in spans if span.name == "job"]
    assert job.trace_id == request.trace_id
    assert job.parent_span_id == request.span_id
    [request] = [span for span in spans if span.name == "POST /batches"]
    [chunk] = [span for span in spans if span.name == "chunk"]
    assert chunk.trace_id == request.trace_id
    assert chunk.parent_span_id == request.span_id

    told = json.dumps([story.web, story.worker]).encode() + b"".join(story.traces)
    for word in (b"xylophonist", b"red flower", story.key.encode(), b"wb_wrong"):
        assert word not in told
    photo = picture(format="png")
    for form in (photo[:40], b64encode(photo)[:40], json.dumps(photo[:12].hex()).encode()):
        assert form not in told


def _is_of(span: Span) -> bool:
    """Whether the span is of a request that was answered with a job."""
    return any(
        attribute.key == "http.response.status_code" and attribute.value.int_value == 200
        for attribute in span.attributes
    )
