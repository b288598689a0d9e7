"""The API's own description is enough for a client: one is generated from it, and used."""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from app.settings import Settings
from tests.app.conftest import picture, write_checkpoint
from worker.messages import Result
from worker.queue import JobQueue

# The generator takes bodies for binary by their media types, and knows few of them.
_CONFIG = """
content_type_overrides:
  image/png: application/octet-stream
  image/webp: application/octet-stream
  application/zip: application/octet-stream
post_hooks: []
"""
_NAME = "generated_wordbrush"
_CAPTION = "this flower has yellow petals"
Finish = Callable[[str], Result]


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """Settings of a web process that offers a model that draws beside those that edit."""
    write_checkpoint(web_settings.checkpoints[0], system="attngan")
    return web_settings


def generate_client(document: bytes, folder: Path) -> str:
    """Write the client package into `folder`; what the generator had to say."""
    (folder / "openapi.json").write_bytes(document)
    (folder / "config.yml").write_text(_CONFIG)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--path", "openapi.json", "--config", "config.yml", "--output-path", _NAME]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def part(name: str) -> ModuleType:
    return import_module(f"{_NAME}.{name}")


def test_a_generated_client_edits_and_draws(
    client: httpx.Client,
    queue: JobQueue,
    finish: Finish,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = generate_client(client.get("/openapi.json").content, tmp_path)
    assert "warning" not in said.lower(), said  # nothing of the API was left out
    monkeypatch.syspath_prepend(tmp_path)
    models, types = part("models"), part("types")
    theirs = part("client").Client(base_url=str(client.base_url), raise_on_unexpected_status=True)
    manipulate, generate = part("api.edits.manipulate"), part("api.generations.generate")
    read_job, read_image = part("api.jobs.read_job"), part("api.jobs.read_output_image")

    photo = types.File(BytesIO(picture()), "photo.jpg", "image/jpeg")
    form = models.EditForm(
        caption=_CAPTION, image=photo, seed=7, crop="8,4,32,40", full_resolution=False
    )
    body = models.GenerationBody(caption=_CAPTION, format_=models.PictureFormat.JPEG, variations=2)
    asked = []
    with theirs:
        for job, task in (
            (manipulate.sync(client=theirs, body=form), "manipulate"),
            (generate.sync(client=theirs, body=body), "generate"),
        ):
            assert not isinstance(job, models.Problem), job.detail
            assert (job.status, job.task) == (models.Status.QUEUED, task)
            asked.append(queue.read(job.id).request)
            made = finish(job.id).outputs[0]
            job = read_job.sync(job.id, client=theirs)
            assert job.status == models.Status.SUCCEEDED
            assert (job.outputs[0].width, job.metrics.predict_s) == (made.width, 0.04)
            file = read_image.sync(job.id, 0, client=theirs)
            assert file.payload.read() == picture(mode="RGB")
        refused = generate.sync(client=theirs, body=models.GenerationBody(caption="zygomorphic"))
    edit, drawing = asked
    assert (edit.seed, edit.crop and edit.crop.width, edit.full_resolution) == (7, 32, False)
    assert (drawing.format, drawing.variations) == ("jpeg", 2)
    assert isinstance(refused, models.Problem)
    assert refused.errors[0].field == "caption"
