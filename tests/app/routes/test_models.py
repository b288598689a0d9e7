from dataclasses import replace

import httpx

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import picture, serving, write_checkpoint
from worker.queue import JobQueue, WorkerView


def test_models_are_listed_with_what_a_form_needs(client: httpx.Client) -> None:
    flowers, clothes = client.get("/models").json()["models"]
    assert (flowers["id"], clothes["id"]) == ("tagan-flowers-64", "tagan-clothes-64")
    assert flowers["system"] == "tagan"
    assert flowers["task"] == "manipulate"
    assert (flowers["domain"], flowers["image_size"]) == ("flowers", 64)
    assert flowers["trained"] is True
    assert flowers["examples"] == ["this flower has yellow petals"]
    assert flowers["metrics"] == {"colour_accuracy": 0.7}
    assert flowers["keeps_photo"] is True


def test_random_weights_are_not_called_trained(web_settings: Settings) -> None:
    write_checkpoint(web_settings.checkpoints[0], steps=0)
    with serving(create_app(web_settings)) as address:
        flowers, clothes = httpx.get(f"{address}/models").json()["models"]
    assert (flowers["trained"], clothes["trained"]) == (False, True)


def test_it_is_told_which_models_a_live_worker_serves(
    client: httpx.Client, queue: JobQueue
) -> None:
    def served() -> list[bool]:
        return [model["served"] for model in client.get("/models").json()["models"]]

    assert served() == [False, False]
    worker = WorkerView("w1", 1, "here", "cpu", models=(), served=("tagan-clothes-64",))
    queue.announce(worker)
    assert served() == [False, True]
    queue.announce(replace(worker, models=("tagan-flowers-64",)))
    assert served() == [True, True]
    queue.retract("w1")
    assert served() == [False, False]
    drawn = client.post("/manipulate", data={"caption": "red"}, files={"image": picture()})
    assert drawn.json()["model"] == "tagan-flowers-64"  # the first choice all the same


def test_without_a_queue_models_are_listed_and_none_is_served(web_settings: Settings) -> None:
    lost = web_settings.model_copy(update={"redis_url": "unix:///nowhere/queue.sock"})
    with serving(create_app(lost)) as address:
        models = httpx.get(f"{address}/models").json()["models"]
    assert [model["served"] for model in models] == [False, False]
