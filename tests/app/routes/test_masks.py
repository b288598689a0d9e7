import httpx

from models.registry import Task
from tests.app.conftest import picture
from worker.messages import Crop
from worker.queue import JobQueue


def test_a_picture_to_find_the_object_of_reaches_the_queue(
    client: httpx.Client, queue: JobQueue
) -> None:
    answer = client.post("/masks", files={"image": picture()}, data={"crop": "8,0,48,48"})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert (job["status"], job["task"], job["caption"]) == ("queued", "mask", "")
    request = queue.read(job["id"]).request
    assert (request.task, request.image_id, request.crop) == (
        Task.MASK,
        job["image_id"],
        Crop(8, 0, 48, 48),
    )


def test_a_stored_picture_can_be_named(client: httpx.Client) -> None:
    image_id = client.post("/images", files={"image": picture()}).json()["image_id"]
    assert client.post("/masks", data={"image_id": image_id}).json()["image_id"] == image_id


def test_what_can_not_be_looked_at_is_refused_and_not_queued(
    client: httpx.Client, queue: JobQueue
) -> None:
    beyond = client.post("/masks", files={"image": picture()}, data={"crop": "40,0,48,48"})
    assert (beyond.status_code, beyond.json()["errors"][0]["field"]) == (422, "crop")
    assert client.post("/masks", data={}).status_code == 422
    gone = client.post("/masks", data={"image_id": "uploads-" + "0" * 32})
    assert (gone.status_code, gone.json()["errors"][0]["field"]) == (422, "image_id")
    assert queue.depth() == 0


def test_a_search_for_an_object_that_was_stopped_can_be_asked_for_again(
    client: httpx.Client, queue: JobQueue
) -> None:
    first = client.post("/masks", files={"image": picture()}).json()
    client.post(first["links"]["cancel"])
    again = client.post(first["links"]["retry"])
    assert again.status_code == 202
    assert queue.read(again.json()["id"]).request == queue.read(first["id"]).request
