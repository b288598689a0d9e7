from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import picture, serving
from tests.processes import until
from tests.queue_server import OwnServer
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


def test_a_silent_queue_server_is_told_soon_whoever_else_waits_for_it(
    web_settings: Settings, own_server: OwnServer
) -> None:
    """More requests than there are threads wait for it; and when it goes on, so does all else."""
    settings = web_settings.model_copy(update={"redis_url": own_server.url})
    worker = WorkerView("w1", 1, "here", "cpu", ("tagan-flowers-64",))
    with (
        serving(create_app(settings)) as address,
        httpx.Client(base_url=address, timeout=60, limits=httpx.Limits()) as client,
        ThreadPoolExecutor(50) as others,
    ):
        JobQueue.from_settings(settings).announce(worker)
        assert client.get("/readyz").status_code == 200
        own_server.fall_silent()
        waiting = [others.submit(client.get, "/jobs/none") for _ in range(50)]
        for _ in range(2):
            answer = client.get("/readyz", timeout=4.5)
            assert answer.status_code == 503
            assert answer.json()["reasons"] == ["the queue does not answer"]
        own_server.go_on()
        assert {one.result().status_code for one in waiting} <= {404, 503}
        JobQueue.from_settings(settings).announce(worker)
        until(lambda: client.get("/readyz").status_code == 200)


def test_a_request_to_a_silent_queue_server_is_refused_within_seconds(
    web_settings: Settings, own_server: OwnServer
) -> None:
    settings = web_settings.model_copy(update={"redis_url": own_server.url})
    with (
        serving(create_app(settings)) as address,
        httpx.Client(base_url=address, timeout=12) as client,
    ):
        own_server.fall_silent()
        form = {"caption": "a yellow flower", "model": "tagan-flowers-64"}
        for answer in (
            client.get("/jobs/none"),
            client.post("/manipulate", data=form, files={"image": picture()}),
        ):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "5"
            assert answer.json()["detail"] == "the queue does not answer: try again later"
