from dataclasses import replace

import httpx

from worker.queue import JobQueue, WorkerView
from worker.standing import Doing


def test_workers_say_what_they_hold_and_what_they_do(
    client: httpx.Client, queue: JobQueue, warm_worker: WorkerView
) -> None:
    second = replace(warm_worker, name="w2", device="cuda:1", memory_bytes={"resident": 1000})
    queue.announce(second)
    queue.note_doing("w2", Doing("batch", "b1"))
    first, other = client.get("/workers").json()["workers"]
    assert (first["id"], first["device"], first["doing"]) == ("w1", "cpu", None)
    assert first["models"] == ["tagan-clothes-64", "tagan-flowers-64"]
    assert (other["device"], other["memory_bytes"]) == ("cuda:1", {"resident": 1000})
    assert other["doing"] == {"kind": "batch", "id": "b1"}
    queue.note_doing("w2", None)
    assert client.get("/workers").json()["workers"][1]["doing"] is None
    queue.retract("w2")
    assert [worker["id"] for worker in client.get("/workers").json()["workers"]] == ["w1"]
