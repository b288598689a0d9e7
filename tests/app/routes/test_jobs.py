from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image

from app.main import create_app
from app.settings import Settings
from models.registry import Task
from tests.app.conftest import serving, stored
from worker.messages import Failure, Request, Result
from worker.queue import JobQueue
from worker.store import Store

_REQUEST = Request(Task.MANIPULATE, "tagan-flowers-64", "yellow petals", seed=7)


@pytest.fixture
def job_id(queue: JobQueue) -> str:
    return queue.submit(_REQUEST)


def test_a_finished_job_has_links_to_its_pictures(
    client: httpx.Client, store: Store, job_id: str, finish: Callable[[str], Result]
) -> None:
    made = finish(job_id).outputs[0]
    [output] = client.get(f"/jobs/{job_id}").json()["outputs"]
    assert (output["width"], output["height"], output["seed"]) == (64, 48, 7)
    image, network_image = client.get(output["image"]), client.get(output["network_image"])
    assert image.content == store.get(made.image)
    assert image.headers["content-type"] == output["media_type"] == "image/jpeg"
    assert network_image.content == store.get(made.network_image)
    assert network_image.headers["content-type"] == "image/png"


def test_a_finished_job_tells_what_each_word_did(
    client: httpx.Client, job_id: str, finish: Callable[[str], Result]
) -> None:
    finish(job_id)
    [output] = client.get(f"/jobs/{job_id}").json()["outputs"]
    assert output["words"] == ["yellow", "petals"]
    assert output["scores"] == [{"word": 0, "score": 0.9}, {"word": 1, "score": 0.1}]
    assert [(h["stage"], h["word"], h["strength"]) for h in output["heatmaps"]] == [
        (0, 0, 0.5),
        (0, 1, 0.25),
    ]
    for heatmap, looked_left in zip(output["heatmaps"], (True, False), strict=True):
        answer = client.get(heatmap["image"])
        assert answer.headers["content-type"] == "image/png"
        image = Image.open(BytesIO(answer.content))
        assert (image.mode, max(image.size)) == ("L", 256)
        left, right = np.asarray(image)[:, :64].mean(), np.asarray(image)[:, -64:].mean()
        assert (left > right) == looked_left


def test_a_finished_job_has_links_to_its_stages(
    client: httpx.Client, store: Store, job_id: str, finish: Callable[[str], Result]
) -> None:
    made = finish(job_id).outputs[0]
    [output] = client.get(f"/jobs/{job_id}").json()["outputs"]
    [stage] = output["stages"]
    assert client.get(stage).content == store.get(made.stages[0])


@pytest.mark.parametrize("format", ["webp", "gif"])
def test_an_interpolation_has_an_animation_in_two_formats(
    client: httpx.Client, job_id: str, finish: Callable[[str], Result], format: str
) -> None:
    finish(job_id)
    address = client.get(f"/jobs/{job_id}").json()["animation"]
    answer = client.get(address, params={"format": format})
    assert answer.headers["content-type"] == f"image/{format}"
    image = Image.open(BytesIO(answer.content))
    assert (image.format, getattr(image, "n_frames", 1)) == (format.upper(), 2)
    known = {"If-None-Match": answer.headers["etag"]}
    assert client.get(address, params={"format": format}, headers=known).status_code == 304
    other = "gif" if format == "webp" else "webp"
    assert client.get(address, params={"format": other}, headers=known).status_code == 200


def test_a_job_that_is_no_interpolation_has_no_animation(
    client: httpx.Client, queue: JobQueue, job_id: str, finish: Callable[[str], Result]
) -> None:
    other = queue.submit(_REQUEST)
    queue.finish(other, replace(finish(job_id), animation=None))
    assert client.get(f"/jobs/{other}").json()["animation"] is None
    assert client.get(f"/jobs/{other}/animation").status_code == 404


@pytest.mark.parametrize("path", ["stages/1", "heatmaps/1/0", "heatmaps/0/2"])
def test_a_stage_or_word_past_the_last_is_not_there(
    client: httpx.Client, job_id: str, finish: Callable[[str], Result], path: str
) -> None:
    finish(job_id)
    answer = client.get(f"/jobs/{job_id}/outputs/0/{path}")
    assert answer.status_code == 404
    assert "wanted one from 0 to" in answer.json()["detail"]


def test_the_stores_own_names_are_not_told(
    client: httpx.Client, job_id: str, finish: Callable[[str], Result]
) -> None:
    made = finish(job_id).outputs[0]
    answers = [client.get(f"/jobs/{job_id}"), client.get(f"/jobs/{job_id}/outputs/0/image")]
    keys = [made.image, made.network_image, *made.stages, made.heatmaps[0].file]
    assert not [key for key in keys for a in answers if key in a.text + str(a.headers)]


def test_a_picture_is_kept_by_the_browser_and_has_a_name(
    client: httpx.Client, job_id: str, finish: Callable[[str], Result]
) -> None:
    finish(job_id)
    headers = client.get(f"/jobs/{job_id}/outputs/0/image").headers
    assert headers["cache-control"].startswith("private, max-age=")
    assert headers["cache-control"].endswith("immutable")
    assert headers["content-disposition"] == f'inline; filename="wordbrush-{job_id}-0.jpg"'


@pytest.mark.parametrize("path", ["image", "network-image", "stages/0", "heatmaps/0/1"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}'])
def test_a_picture_that_the_client_has_is_not_sent_again(
    client: httpx.Client, job_id: str, finish: Callable[[str], Result], form: str, path: str
) -> None:
    finish(job_id)
    address = f"/jobs/{job_id}/outputs/0/{path}"
    tag = client.get(address).headers["etag"]
    answer = client.get(address, headers={"If-None-Match": form.format(tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_job_without_a_result_has_no_pictures(client: httpx.Client, job_id: str) -> None:
    answer = client.get(f"/jobs/{job_id}/outputs/0/image")
    assert answer.status_code == 404
    assert "queued" in answer.json()["detail"]


def test_an_output_past_the_last_is_not_there(
    client: httpx.Client, job_id: str, finish: Callable[[str], Result]
) -> None:
    finish(job_id)
    assert client.get(f"/jobs/{job_id}/outputs/1/image").status_code == 404


@pytest.mark.parametrize("path", ["image", "network-image", "stages/0", "heatmaps/0/1"])
def test_a_picture_whose_file_is_gone_is_gone(
    client: httpx.Client,
    web_settings: Settings,
    job_id: str,
    finish: Callable[[str], Result],
    path: str,
) -> None:
    finish(job_id)
    for file in stored(web_settings):
        file.unlink()
    assert client.get(f"/jobs/{job_id}/outputs/0/{path}").status_code == 410


def test_an_expired_job_says_so_and_its_pictures_are_gone(
    web_settings: Settings, job_id: str, finish: Callable[[str], Result]
) -> None:
    finish(job_id)
    short = web_settings.model_copy(update={"result_ttl_s": 0})
    with serving(create_app(short)) as address, httpx.Client(base_url=address) as client:
        assert client.get(f"/jobs/{job_id}").json()["status"] == "expired"
        assert client.get(f"/jobs/{job_id}/outputs/0/image").status_code == 410


def test_a_failed_job_says_why(client: httpx.Client, queue: JobQueue, job_id: str) -> None:
    queue.finish(job_id, Failure("The picture is gone", "upload it again", retryable=True))
    job = client.get(f"/jobs/{job_id}").json()
    assert job["status"] == "failed"
    assert job["error"] == {
        "title": "The picture is gone",
        "detail": "upload it again",
        "retryable": True,
    }
    assert client.get(f"/jobs/{job_id}/outputs/0/image").status_code == 404


def test_a_waiting_job_can_be_canceled(client: httpx.Client, queue: JobQueue, job_id: str) -> None:
    answer = client.post(f"/jobs/{job_id}/cancel")
    assert answer.status_code == 200
    assert answer.json()["status"] == "canceled"
    assert queue.depth() == 0


def test_canceling_a_finished_job_changes_nothing(
    client: httpx.Client, job_id: str, finish: Callable[[str], Result]
) -> None:
    finish(job_id)
    assert client.post(f"/jobs/{job_id}/cancel").json()["status"] == "succeeded"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", "/cancel"), ("GET", "/outputs/0/image")],
)
def test_a_job_that_never_was_is_not_found(client: httpx.Client, method: str, path: str) -> None:
    assert client.request(method, f"/jobs/{'0' * 32}{path}").status_code == 404


def test_a_job_is_never_answered_from_a_cache(client: httpx.Client, job_id: str) -> None:
    assert client.get(f"/jobs/{job_id}").headers["cache-control"] == "no-store"


def test_a_job_says_how_long_it_will_take_and_how_far_it_is(
    client: httpx.Client, queue: JobQueue, job_id: str, finish: Callable[[str], Result]
) -> None:
    assert client.get(f"/jobs/{job_id}").json()["eta_s"] is None
    queue.note_pace(_REQUEST, seconds=1.5, pictures=1)
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["eta_s"], job["progress"]) == (1.5, 0)
    queue.advance(job_id, 0.25)
    assert client.get(f"/jobs/{job_id}").json()["progress"] == 0.25
    finish(job_id)
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["eta_s"], job["progress"]) == (None, 1)
