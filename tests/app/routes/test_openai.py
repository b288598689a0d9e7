"""OpenAI's own client, with nothing but its base URL changed; the worker is played by hand."""

from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Thread

import httpx
import numpy as np
import openai
import pytest
from fastapi import FastAPI
from PIL import Image

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import picture, serving, stored, write_checkpoint
from tests.processes import until
from worker.messages import Failure, Result
from worker.queue import JobQueue, WorkerView
from worker.store import Store

_PROMPT = "this flower has yellow petals"
Hear = Callable[[Callable[[str], object]], None]


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """Settings of a web process that offers a model that draws beside those that edit."""
    write_checkpoint(web_settings.checkpoints[0], system="attngan")
    return web_settings.model_copy(update={"max_wait_s": 20})


@pytest.fixture
def theirs(app: FastAPI) -> Iterator[openai.OpenAI]:
    with (
        serving(app) as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client


@pytest.fixture
def work(queue: JobQueue) -> Iterator[Hear]:
    """Ends the next job, in a thread, with what is given here."""
    threads: list[Thread] = []

    def begin(end: Callable[[str], object]) -> None:
        def run() -> None:
            popped = queue.connection.blpop(["rq:queue:wordbrush-interactive"], 20)
            assert popped is not None
            end(popped[1].decode())

        threads.append(Thread(target=run))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join()


def test_an_edit_comes_as_an_address(
    theirs: openai.OpenAI, work: Hear, finish: Callable[[str], Result]
) -> None:
    work(finish)
    answer = theirs.images.edit(image=("a.jpg", picture()), prompt=_PROMPT, model="dall-e-2")
    assert answer.data
    assert answer.data[0].url
    assert httpx.get(answer.data[0].url).content == picture()


def test_what_is_transparent_in_their_mask_is_white_in_ours(
    theirs: openai.OpenAI,
    work: Hear,
    finish: Callable[[str], Result],
    queue: JobQueue,
    store: Store,
) -> None:
    ids: list[str] = []

    def end(job_id: str) -> None:
        ids.append(job_id)
        finish(job_id)

    work(end)
    mask = Image.new("RGBA", (64, 48), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 32, 48))
    file = BytesIO()
    mask.save(file, "PNG")
    answer = theirs.images.edit(
        image=[("a.jpg", picture())],
        mask=("mask.png", file.getvalue()),
        prompt=_PROMPT,
        n=2,
        model="gpt-image-1",
    )
    assert answer.data
    assert b64decode(answer.data[0].b64_json or "") == picture()
    asked = queue.read(ids[0]).request
    assert (asked.variations, asked.model, asked.format) == (2, "tagan-flowers-64", "png")
    ours = np.asarray(Image.open(BytesIO(store.get(asked.mask_id or ""))))
    assert (ours[:, :32] == 255).all()
    assert (ours[:, 32:] == 0).all()


def test_a_drawing_is_enlarged_to_the_size_asked_for(
    theirs: openai.OpenAI, work: Hear, finish: Callable[[str], Result]
) -> None:
    work(finish)
    answer = theirs.images.generate(prompt=_PROMPT, size="256x256", model="attngan-flowers-64")
    assert answer.data
    drawn = Image.open(BytesIO(b64decode(answer.data[0].b64_json or "")))
    assert (drawn.size, drawn.format) == ((256, 256), "PNG")


def test_models_are_listed(theirs: openai.OpenAI) -> None:
    assert next(model.id for model in theirs.models.list()) == "tagan-flowers-64"


def test_a_model_is_found_by_its_id_and_none_by_another(theirs: openai.OpenAI) -> None:
    found = theirs.models.retrieve("attngan-flowers-64")
    assert (found.id, found.object, found.owned_by) == ("attngan-flowers-64", "model", "wordbrush")
    with pytest.raises(openai.NotFoundError, match="wanted one of: tagan-flowers-64") as refused:
        theirs.models.retrieve("gpt-image-1")
    assert (refused.value.type, refused.value.code) == ("invalid_request_error", "not-found")


def test_refusals_are_theirs(
    theirs: openai.OpenAI, work: Hear, queue: JobQueue, web_settings: Settings
) -> None:
    for wrong, why in (
        ({"prompt": "crimson"}, "none of these words"),
        ({"prompt": _PROMPT, "model": "sdxl"}, "no such model"),
        ({"prompt": _PROMPT, "size": "9999x9999"}, "wanted auto, or 16x16"),
        ({"prompt": _PROMPT, "stream": True}, "pictures come whole"),
    ):
        with pytest.raises(openai.UnprocessableEntityError, match=why) as refused:
            theirs.images.generate(**wrong)
        assert refused.value.type == "invalid_request_error"
        assert refused.value.param == list(wrong)[-1]
        assert why in refused.value.response.json()["detail"]
    with pytest.raises(openai.APIStatusError):
        theirs.images.edit(image=("a.jpg", b"none"), prompt=_PROMPT)
    assert queue.depth() == 0
    work(lambda job: queue.finish(job, Failure("The worker is ill", "ask again", retryable=True)))
    with pytest.raises(openai.InternalServerError):
        theirs.images.generate(prompt=_PROMPT)


def test_what_somebody_canceled_is_not_asked_for_again(
    theirs: openai.OpenAI, queue: JobQueue, work: Hear
) -> None:
    """Their client sends again what failed for no fault of the request."""
    work(queue.cancel)
    with pytest.raises(openai.APIStatusError, match="canceled") as refused:
        theirs.images.generate(prompt=_PROMPT)
    assert refused.value.status_code == 410


def test_what_takes_too_long_is_canceled(web_settings: Settings, queue: JobQueue) -> None:
    hasty = web_settings.model_copy(update={"max_wait_s": 0})
    with serving(create_app(hasty)) as address, httpx.Client(base_url=address) as client:
        answer = client.post("/v1/images/generations", json={"prompt": _PROMPT})
    assert answer.status_code == 503
    assert queue.depth() == 0


def test_many_that_wait_leave_the_service_to_the_others(
    client: httpx.Client, queue: JobQueue, finish: Callable[[str], Result], warm_worker: WorkerView
) -> None:
    many = 45  # more than the threads that serve requests
    with ThreadPoolExecutor(many) as people:
        asked = [
            people.submit(client.post, "/v1/images/generations", json={"prompt": _PROMPT})
            for _ in range(many)
        ]
        try:
            until(lambda: queue.depth() == many, timeout_s=15)
            for path in ("/readyz", "/models", "/jobs", "/", "/metrics"):
                assert client.get(path).status_code == 200
            assert not any(answer.done() for answer in asked)
        finally:
            for job_id in queue.connection.lrange("rq:queue:wordbrush-interactive", 0, -1):
                finish(job_id.decode())
        assert {answer.result().status_code for answer in asked} == {200}


def test_one_too_many_that_would_wait_is_refused_and_leaves_nothing(
    web_settings: Settings, queue: JobQueue, finish: Callable[[str], Result]
) -> None:
    narrow = web_settings.model_copy(update={"max_waiters": 1})
    photo = {"image": picture()}
    with (
        serving(create_app(narrow)) as address,
        httpx.Client(base_url=address, timeout=30) as client,
        ThreadPoolExecutor(1) as first,
    ):
        for _ in range(2):  # the second has the place that the first has left
            waits = first.submit(client.post, "/v1/images/generations", json={"prompt": _PROMPT})
            until(lambda: queue.depth() == 1)
            for refused in (
                client.post("/v1/images/generations", json={"prompt": _PROMPT}),
                client.post("/v1/images/edits", data={"prompt": _PROMPT}, files=photo),
            ):
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
                assert "too many requests wait" in refused.json()["error"]["message"]
            assert queue.depth() == 1
            assert not any("uploads" in path.parts for path in stored(web_settings))
            finish(queue.connection.lpop("rq:queue:wordbrush-interactive").decode())
            assert waits.result().status_code == 200
