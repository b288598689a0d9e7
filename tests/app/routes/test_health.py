from pathlib import Path

import httpx

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import serving
from worker.queue import JobQueue, WorkerView


def test_a_process_without_a_queue_is_alive_but_not_ready(web_settings: Settings) -> None:
    lost = web_settings.model_copy(update={"redis_url": "unix:///nowhere/queue.sock"})
    with serving(create_app(lost)) as address:
        assert httpx.get(f"{address}/livez").json() == {"status": "alive"}
        answer = httpx.get(f"{address}/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the queue cannot be reached"]


def test_it_is_not_ready_until_a_worker_has_a_model_in_memory(
    client: httpx.Client, queue: JobQueue, warm_worker: WorkerView
) -> None:
    assert client.get("/readyz").json() == {
        "status": "ready",
        "models": ["tagan-clothes-64", "tagan-flowers-64"],
        "queued": 0,
    }
    queue.retract(warm_worker.name)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["reasons"] == ["no worker has a model in memory yet"]


def test_it_is_not_ready_without_a_checkpoint(
    web_settings: Settings, tmp_path: Path, warm_worker: WorkerView
) -> None:
    bare = web_settings.model_copy(update={"checkpoints": (tmp_path / "none",)})
    with serving(create_app(bare)) as address:
        answer = httpx.get(f"{address}/readyz")
    assert answer.json()["reasons"] == ["there is no checkpoint to serve"]


def test_it_is_not_ready_when_the_store_takes_no_files(
    client: httpx.Client, web_settings: Settings, warm_worker: WorkerView
) -> None:
    folder = Path(web_settings.store_url)
    for kind in ("uploads", "results"):
        (folder / kind).rmdir()
    folder.rmdir()
    folder.write_text("a file where the folder was")
    answer = client.get("/readyz")
    assert answer.json()["reasons"] == ["the store takes no files"]


def test_asking_leaves_nothing_in_the_store(
    client: httpx.Client, web_settings: Settings, warm_worker: WorkerView
) -> None:
    client.get("/readyz")
    assert [path for path in Path(web_settings.store_url).rglob("*") if path.is_file()] == []


def test_a_load_balancer_may_ask_for_the_status_alone(
    client: httpx.Client, queue: JobQueue, warm_worker: WorkerView
) -> None:
    for path in ("/livez", "/readyz"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")
    queue.retract(warm_worker.name)
    answer = client.head("/readyz")
    assert (answer.status_code, answer.content) == (503, b"")
    assert answer.headers["retry-after"] == "5"
