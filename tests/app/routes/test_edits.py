from collections.abc import Callable
from threading import Thread
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import picture, serving, stored
from worker.messages import Crop, Result
from worker.queue import JobQueue

_CAPTION = "this flower has yellow petals"


def ask(client: httpx.Client, *, photo: bytes | None = None, **fields: Any) -> httpx.Response:
    """POST /manipulate with a photo of 64 x 48 pixels, if no other is given."""
    headers = fields.pop("headers", {})
    files = {"image": ("photo.jpg", photo or picture())}
    if mask := fields.pop("mask", None):
        files["mask"] = ("mask.png", mask)
    return client.post(
        "/manipulate", data={"caption": _CAPTION} | fields, files=files, headers=headers
    )


def test_an_edit_is_accepted_with_the_address_of_its_job(client: httpx.Client) -> None:
    answer = ask(client)
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}" == job["links"]["self"]
    assert answer.headers["retry-after"] == "1"
    assert "preference-applied" not in answer.headers
    assert (job["status"], job["queue_position"], job["outputs"]) == ("queued", 0, [])
    assert job["model"] == "tagan-flowers-64"
    assert client.get(job["links"]["self"]).json() == job


def test_what_was_asked_for_reaches_the_queue(client: httpx.Client, queue: JobQueue) -> None:
    answer = ask(
        client,
        model="tagan-clothes-64",
        seed="4294967295",
        variations="3",
        crop="8,4,32,40",
        mask=picture(format="png", mode="L"),
        full_resolution="false",
        format="webp",
    )
    request = queue.read(answer.json()["id"]).request
    assert (request.model, request.caption) == ("tagan-clothes-64", _CAPTION)
    assert (request.seed, request.variations) == (4294967295, 3)
    assert (request.crop, request.format) == (Crop(8, 4, 32, 40), "webp")
    assert request.full_resolution is False
    assert request.mask_id


def test_the_photo_is_kept_byte_for_byte(client: httpx.Client, web_settings: Settings) -> None:
    photo = picture()
    ask(client, photo=photo)
    [kept] = stored(web_settings)
    assert kept.read_bytes() == photo


def test_without_a_seed_one_is_drawn_and_told(client: httpx.Client) -> None:
    seeds = {ask(client).json()["seed"] for _ in range(3)}
    assert len(seeds) == 3


def test_many_captions_can_be_tried_on_one_upload(
    client: httpx.Client, web_settings: Settings
) -> None:
    image_id = ask(client).json()["image_id"]
    fields = {"caption": "red petals", "image_id": image_id, "crop": "0,0,48,48"}
    answer = client.post("/manipulate", data=fields)
    assert answer.status_code == 202
    assert answer.json()["image_id"] == image_id
    assert len(stored(web_settings)) == 1


def test_an_unknown_word_is_reported_and_does_no_harm(client: httpx.Client) -> None:
    job = ask(client, caption="a crimson flowr with petals").json()
    assert [word["word"] for word in job["unknown_words"]] == ["a", "crimson", "flowr"]
    assert job["unknown_words"][2]["nearest"] == ["flower"]


def test_a_caption_of_unknown_words_alone_is_refused_with_words_to_try(
    client: httpx.Client, queue: JobQueue
) -> None:
    answer = ask(client, caption="crimson blossom")
    assert answer.status_code == 422
    assert "red" in answer.json()["suggestions"]
    assert queue.depth() == 0


def test_where_nothing_is_near_the_models_own_examples_are_offered(client: httpx.Client) -> None:
    answer = ask(client, caption="xyzzy")
    assert answer.json()["suggestions"] == ["this flower has yellow petals"]


def test_waiting_gives_the_finished_job(
    client: httpx.Client, queue: JobQueue, finish: Callable[[str], Result]
) -> None:
    def work() -> None:
        popped: Any = queue.connection.blpop(["rq:queue:wordbrush-interactive"], 60)
        finish(popped[1].decode())

    worker = Thread(target=work)
    worker.start()
    answer = ask(client, headers={"Prefer": "wait=5"})
    worker.join()
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=5"
    job = answer.json()
    assert job["status"] == "succeeded"
    assert job["metrics"]["predict_s"] == 0.04
    assert client.get(job["outputs"][0]["image"]).headers["content-type"] == "image/jpeg"


def test_waiting_too_short_gives_the_unfinished_job(client: httpx.Client) -> None:
    answer = ask(client, headers={"Prefer": "respond-async, wait=0"})
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "wait=0"


def test_where_all_waiters_are_taken_a_request_does_not_wait(app: FastAPI) -> None:
    app.state.services.waiters.total_tokens = 0
    with serving(app) as address, httpx.Client(base_url=address) as client:
        answer = ask(client, headers={"Prefer": "wait=5"})
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers


_GONE = "uploads-" + 32 * "0" + ".jpeg"

REFUSALS = {
    "no caption": ({"caption": ""}, 422, "caption"),
    "a caption too long": ({"caption": "red " * 80}, 422, "caption"),
    "a caption without a word": ({"caption": "?! ..."}, 422, "caption"),
    "no such model": ({"model": "tagan-cars-64"}, 422, "model"),
    "a seed too large": ({"seed": str(2**32)}, 422, "seed"),
    "a seed below zero": ({"seed": "-1"}, 422, "seed"),
    "no number for a seed": ({"seed": "seven"}, 422, "seed"),
    "too many variations": ({"variations": "9"}, 422, "variations"),
    "no variation": ({"variations": "0"}, 422, "variations"),
    "a crop over the edge": ({"crop": "40,0,48,48"}, 422, "crop"),
    "a crop too small": ({"crop": "0,0,8,8"}, 422, "crop"),
    "a crop of three numbers": ({"crop": "0,0,8"}, 422, "crop"),
    "a crop below zero": ({"crop": "-1,0,32,32"}, 422, "crop"),
    "no such format": ({"format": "gif"}, 422, "format"),
    "a mask of another size": ({"mask": picture(48, 64)}, 422, "mask"),
    "a mask that is no picture": ({"mask": b"black"}, 415, None),
    "a photo and an id": ({"image_id": _GONE}, 422, "image"),
    "no photo's id": ({"image_id": "../../etc/passwd"}, 422, "image_id"),
    "a photo that is none": ({"photo": b"GIF89a nothing"}, 415, None),
    "a photo cut short": ({"photo": picture()[:400]}, 422, None),
    "a photo too small": ({"photo": picture(8, 8)}, 422, None),
}


@pytest.mark.parametrize(("fields", "status", "field"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_says_why_and_leaves_nothing_behind(
    client: httpx.Client,
    queue: JobQueue,
    web_settings: Settings,
    fields: dict[str, Any],
    status: int,
    field: str | None,
) -> None:
    answer = ask(client, **fields)
    assert answer.status_code == status
    problem = answer.json()
    assert [error["field"] for error in problem.get("errors", [])] == ([field] if field else [])
    assert problem["detail"]
    assert queue.depth() == 0
    assert stored(web_settings) == []


def test_which_of_several_uploads_is_no_picture_is_said(client: httpx.Client) -> None:
    for field in ("mask", "image_to"):
        files = {"image": ("a.png", picture(format="png")), field: ("b.png", b"no picture")}
        answer = client.post("/manipulate", data={"caption": _CAPTION}, files=files)
        assert answer.status_code == 415
        assert answer.json()["detail"].startswith(f"{field}: ")
    both = {"image": ("a.png", b"no picture"), "mask": ("b.png", picture(format="png"))}
    answer = client.post("/manipulate", data={"caption": _CAPTION}, files=both)
    assert "mask" not in answer.json()["detail"]


def test_an_edit_of_no_picture_is_refused(client: httpx.Client, queue: JobQueue) -> None:
    answer = client.post("/manipulate", data={"caption": _CAPTION})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "image"
    assert queue.depth() == 0


def test_an_edit_of_a_picture_that_is_gone_asks_for_it_again(
    client: httpx.Client, queue: JobQueue
) -> None:
    answer = client.post("/manipulate", data={"caption": _CAPTION, "image_id": _GONE})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "image_id"
    assert queue.depth() == 0


def test_a_photo_of_too_many_pixels_is_too_large(web_settings: Settings) -> None:
    small = web_settings.model_copy(update={"max_pixels": 1000})
    with serving(create_app(small)) as address, httpx.Client(base_url=address) as client:
        assert ask(client).status_code == 413
    assert stored(small) == []


def test_a_full_queue_is_said_and_the_photo_is_not_kept(web_settings: Settings) -> None:
    full = web_settings.model_copy(update={"max_queue": 1})
    with serving(create_app(full)) as address, httpx.Client(base_url=address) as client:
        assert ask(client).status_code == 202
        answer = ask(client)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert len(stored(full)) == 1


def test_without_a_queue_an_upload_is_neither_acknowledged_nor_kept(web_settings: Settings) -> None:
    lost = web_settings.model_copy(update={"redis_url": "unix:///nowhere/queue.sock"})
    with serving(create_app(lost)) as address, httpx.Client(base_url=address) as client:
        answer = ask(client)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    assert stored(lost) == []


def test_an_interpolation_between_captions_and_photos_reaches_the_queue(
    client: httpx.Client, queue: JobQueue, web_settings: Settings
) -> None:
    image_id = ask(client).json()["image_id"]
    fields = {"caption": _CAPTION, "image_id": image_id, "caption_to": "red flower", "steps": "3"}
    files = {"image_to": ("other.png", picture(100, 100, "png"))}
    job = client.post("/manipulate", data=fields, files=files).json()
    request = queue.read(job["id"]).request
    assert (request.caption_to, request.steps, request.pictures) == ("red flower", 3, 3)
    assert (job["image_id"], job["image_id_to"]) == (image_id, request.image_id_to)
    assert job["caption_to"] == "red flower"
    assert len(stored(web_settings)) == 2


def test_a_stored_photo_can_be_the_other_end(client: httpx.Client, queue: JobQueue) -> None:
    image_id = ask(client).json()["image_id"]
    job = ask(client, image_id_to=image_id).json()
    request = queue.read(job["id"]).request
    assert (request.image_id_to, request.steps, request.caption_to) == (image_id, 7, None)


def test_unknown_words_of_both_captions_are_reported(client: httpx.Client) -> None:
    job = ask(client, caption="yellow flowr", caption_to="crimson petals").json()
    assert [word["word"] for word in job["unknown_words"]] == ["flowr", "crimson"]


_OTHER = "uploads-" + "0" * 32
REFUSED = {
    "steps go from one end": ({"steps": "3"}, "steps"),
    "one noise for all steps": ({"caption_to": "red", "variations": "2"}, "variations"),
    "too many steps": ({"caption_to": "red", "steps": "17"}, "steps"),
    "one step": ({"caption_to": "red", "steps": "1"}, "steps"),
    "no known word": ({"caption_to": "xyzzy"}, "caption_to"),
    "no word": ({"caption_to": "?!"}, "caption_to"),
    "not kept": ({"image_id_to": _OTHER}, "image_id_to"),
}


@pytest.mark.parametrize(("fields", "field"), REFUSED.values(), ids=REFUSED)
def test_an_interpolation_that_makes_no_sense_is_refused_and_nothing_is_kept(
    client: httpx.Client,
    queue: JobQueue,
    web_settings: Settings,
    fields: dict[str, Any],
    field: str,
) -> None:
    answer = ask(client, **fields)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert queue.depth() == 0
    assert stored(web_settings) == []


def test_a_mask_between_photos_of_different_size_is_refused(
    client: httpx.Client, web_settings: Settings
) -> None:
    files = {
        "image": ("photo.jpg", picture()),
        "image_to": ("other.jpg", picture(100, 100)),
        "mask": ("mask.png", picture(format="png", mode="L")),
    }
    answer = client.post("/manipulate", data={"caption": _CAPTION}, files=files)
    assert answer.status_code == 422, answer.text
    assert "differ in size" in answer.json()["detail"]
    assert stored(web_settings) == []
