"""The store on S3: a real server over HTTP, that of moto."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image
from s3fs import S3FileSystem

from tests.processes import until
from worker.queue import JobQueue
from worker.settings import Settings
from worker.store import NotStored, Store, StoreDown

ROOT = Path(__file__).resolve().parents[2]
URL = "s3://wordbrush/pictures"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An S3 server with nothing in it, named by the environment as any other is."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield
    server.stop()
    S3FileSystem.clear_instance_cache()  # another test's server is at another address


def open_store(*, result_ttl_s: int = 60) -> Store:
    return Store(URL, upload_ttl_s=60, result_ttl_s=result_ttl_s)


def test_what_one_process_keeps_another_finds_at_once(s3: None) -> None:
    here, there = open_store(), open_store()
    there.sweep()  # which lists the folders while they are empty
    file_id = here.put(b"bytes", kind="uploads", suffix=".png")
    assert there.get(file_id) == b"bytes"
    assert there.entry(file_id).size == 5


def test_what_is_past_its_time_is_gone_and_swept(s3: None) -> None:
    store = open_store(result_ttl_s=1)
    result, upload = store.put(b"r", kind="results"), store.put(b"u", kind="uploads")
    time.sleep(2)  # S3 tells whole seconds
    with pytest.raises(NotStored, match="was kept until"):
        store.get(result)
    assert store.sweep() == 1
    with pytest.raises(NotStored, match="gone"):
        store.get(result)
    assert store.get(upload) == b"u"


def test_a_store_whose_bucket_is_gone_takes_nothing_and_says_so(s3: None) -> None:
    store = open_store()
    store.check()
    S3FileSystem().rm("wordbrush", recursive=True)
    with pytest.raises(StoreDown):
        store.check()
    with pytest.raises(StoreDown):
        store.put(b"bytes", kind="uploads")


def test_a_sweep_asks_once_for_many_and_not_for_each(
    s3: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(files: S3FileSystem, path: str) -> None:
        raise AssertionError(path)

    store = open_store(result_ttl_s=1)
    for _ in range(3):
        store.put(b"r", kind="results")
    time.sleep(2)  # S3 tells whole seconds
    monkeypatch.setattr(S3FileSystem, "modified", asked)
    assert store.sweep() == 3


def test_what_an_outage_keeps_from_being_swept_is_left_for_later(
    s3: None, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    S3FileSystem().rm("wordbrush", recursive=True)
    assert store.sweep() == 0
    assert "not all that is past its time was deleted" in caplog.text


def test_a_server_that_never_answers_is_taken_for_an_outage(
    s3: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.store._S3_ANSWERS_WITHIN_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(StoreDown):
            Store(URL, upload_ttl_s=60, result_ttl_s=60)


def test_web_process_and_worker_say_in_a_line_that_they_can_not_begin_without_the_store(
    s3: None, settings: Settings, free_port: int
) -> None:
    own = settings.model_copy(update={"store_url": URL})
    away = os.environ | own.to_environment() | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port}"}
    for command in (["-m", "app", "web"], ["-m", "worker"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=away, capture_output=True, text=True
        )
        assert done.returncode == 1
        assert done.stderr.count("\n") <= 2
        assert "the store takes or gives no files" in done.stderr


def test_web_and_workers_with_no_folder_in_common_do_the_edits_together(
    s3: None,
    settings: Settings,
    tiny_model: str,
    tmp_path: Path,
    free_port: int,
    processes: list[subprocess.Popen[bytes]],
) -> None:
    folders = {name: tmp_path / name for name in ("web", "worker 1", "worker 2")}
    for name, folder in folders.items():
        own = settings.model_copy(
            update={"data_dir": folder, "store_url": URL, "batch_size": 1, "threads": 1}
        )
        command = (
            ["-m", "app", "web", "--port", str(free_port)]
            if name == "web"
            else ["-m", "tests.worker.paced_worker"]
        )
        folder.mkdir()
        environment = os.environ | own.to_environment()
        processes.append(subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment))
    until(lambda: len(JobQueue.from_settings(settings).workers()) == 2)

    photo = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(photo, "PNG")
    with httpx.Client(base_url=f"http://127.0.0.1:{free_port}", timeout=60) as client:
        upload = client.post("/images", files={"image": ("a.png", photo.getvalue())}).json()
        wish = {"caption": "1 seconds of red", "image_id": upload["image_id"]}
        jobs = [client.post("/manipulate", data=wish).json() for _ in range(4)]
        for job in jobs:
            until(partial(is_done, client, job["links"]["self"]))
            result = client.get(client.get(job["links"]["self"]).json()["outputs"][0]["image"])
            assert Image.open(BytesIO(result.content)).size == (256, 256)

    for name in ("worker 1", "worker 2"):
        assert (folders[name] / "passes.log").exists(), name
    for folder in folders.values():
        assert not (folder / "store").exists()


def is_done(client: httpx.Client, job: str) -> bool:
    status: str = client.get(job).json()["status"]
    return status == "succeeded"
