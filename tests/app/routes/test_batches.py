"""Batches over HTTP; the worker is played by hand."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, StringIO
from pathlib import Path
from threading import Barrier
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from app.keys import KeyFile, Scope
from app.main import create_app
from app.settings import Settings
from models.registry import Task
from tests.app.conftest import picture, serving, stored, write_checkpoint
from worker.archives import Archives
from worker.batch_records import pending
from worker.batches import Batches
from worker.idempotency import IdempotencyKey
from worker.messages import Crop, Failure, OutputFile, Result
from worker.metrics import COUNTS
from worker.queue import JobQueue
from worker.store import Store

MODEL = "tagan-flowers-64"
_PHOTOS = {f"flowers/{n}.jpg": picture(64 + n, 48) for n in range(3)}


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """Settings of a web process that offers a model that draws beside those that edit."""
    write_checkpoint(web_settings.checkpoints[0], system="attngan")
    return web_settings


@pytest.fixture
def batches(web_settings: Settings) -> Batches:
    return Batches.from_settings(web_settings)


def zipped(files: dict[str, bytes] = _PHOTOS) -> bytes:
    data = BytesIO()
    with ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def table(*rows: dict[str, str]) -> bytes:
    text = StringIO()
    writer = csv.DictWriter(text, fieldnames=list(dict.fromkeys(k for row in rows for k in row)))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def ask(
    client: httpx.Client,
    items: bytes,
    images: bytes | None = None,
    headers: dict[str, str] | None = None,
    **fields: str,
) -> httpx.Response:
    files = {"items": ("items", items)} | ({"images": ("a.zip", images)} if images else {})
    return client.post("/batches", files=files, data=fields, headers=headers)


def items_of(client: httpx.Client, batch: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(batch["links"]["items"]).json()["items"]
    return items


def done(store: Store) -> Result:
    key = store.put(picture(), kind="results", suffix=".jpg")
    return Result((OutputFile(key, "image/jpeg", 64, 48, seed=7, network_image=key),))


_ROWS = [
    {"id": "a", "image": "flowers/0.jpg", "caption": "yellow petals", "seed": "3"},
    {"id": "b", "image": "flowers/1.jpg", "caption": "red petals", "variations": "2"},
]


@pytest.mark.parametrize("write", [table, lines], ids=["csv", "jsonl"])
def test_lines_become_items_in_their_order(
    client: httpx.Client, batches: Batches, store: Store, write: Any
) -> None:
    answer = ask(client, write(*_ROWS), zipped(), format="png")
    assert answer.status_code == 202
    batch = answer.json()
    assert answer.headers["location"] == batch["links"]["self"]
    assert batch["status"] == "queued"
    assert batch["request_counts"] == {
        "total": 2, "succeeded": 0, "failed": 0, "canceled": 0, "expired": 0, "pending": 2,
    }  # fmt: skip
    first, second = pending(batches.items(batches.read(batch["id"]), range(9))).values()
    assert (first.caption, first.seed, first.format) == ("yellow petals", 3, "png")
    assert (second.variations, second.task, second.model) == (
        2,
        Task.MANIPULATE,
        "tagan-flowers-64",
    )
    assert second.image_id
    assert Archives(store).get(second.image_id) == _PHOTOS["flowers/1.jpg"]
    assert [item["id"] for item in items_of(client, batch)] == ["a", "b"]


def test_the_same_request_twice_at_once_is_one_batch_and_its_pictures_are_kept_once(
    client: httpx.Client, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met, look = Barrier(2, timeout=20), Batches.earlier

    def look_together(batches: Batches, key: IdempotencyKey) -> str | None:
        found = look(batches, key)
        met.wait()
        return found

    monkeypatch.setattr(Batches, "earlier", look_together)
    key = {"Idempotency-Key": "twice"}
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(ask, client, lines(*_ROWS), zipped(), key) for _ in range(2)]
        answers = [one.result() for one in sent]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(list((data_dir / "store" / "uploads").iterdir())) == 1


def test_pictures_may_be_named_without_their_folder_or_be_earlier_uploads(
    client: httpx.Client, batches: Batches, store: Store
) -> None:
    image_id = client.post("/images", files={"image": picture()}).json()["image_id"]
    rows = [
        {"caption": "red", "image": "2.jpg"},
        {"caption": "red", "image_id": image_id},
        {"caption": "red flower"},
    ]
    batch = ask(client, lines(*rows), zipped()).json()
    named, earlier, drawn = pending(batches.items(batches.read(batch["id"]), range(9))).values()
    assert Archives(store).get(named.image_id or "") == _PHOTOS["flowers/2.jpg"]
    assert earlier.image_id == image_id
    assert (drawn.task, drawn.model) == (Task.GENERATE, "attngan-flowers-64")


def test_lines_may_go_from_one_end_to_another(
    client: httpx.Client, batches: Batches, store: Store
) -> None:
    image_id = client.post("/images", files={"image": picture()}).json()["image_id"]
    rows = [
        {"caption": "red", "image": "0.jpg", "image_to": "1.jpg", "steps": "3"},
        {"caption": "red", "image": "0.jpg", "image_id_to": image_id, "caption_to": "white"},
        {"caption": "red", "caption_to": "yellow", "steps": "2"},
    ]
    batch = ask(client, table(*rows), zipped()).json()
    photos, both, drawn = pending(batches.items(batches.read(batch["id"]), range(9))).values()
    assert Archives(store).get(photos.image_id_to or "") == _PHOTOS["flowers/1.jpg"]
    assert (photos.steps, photos.caption_to) == (3, None)
    assert (both.image_id_to, both.caption_to, both.steps) == (image_id, "white", 7)
    assert (drawn.caption_to, drawn.steps, drawn.image_id_to) == ("yellow", 2, None)
    assert [item["caption_to"] for item in items_of(client, batch)] == [None, "white", "yellow"]


def test_a_header_may_have_capitals_and_spaces(client: httpx.Client, batches: Batches) -> None:
    rows = b' Caption , IMAGE ,Seed\n"red, petals", 0.jpg ,7 \n"red", "1.jpg"\n'
    batch = ask(client, rows, zipped()).json()
    first, second = pending(batches.items(batches.read(batch["id"]), range(9))).values()
    assert (first.task, first.caption, first.seed) == (Task.MANIPULATE, "red, petals", 7)
    assert second.task is Task.MANIPULATE


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_columns_may_be_parted_by_what_spreadsheets_write(
    client: httpx.Client, batches: Batches, between: str
) -> None:
    rows = [['"caption"', "image", '"crop"'], ['"red; big, petals"', "0.jpg", '"1,2,30,40"']]
    text = "\r\n".join(between.join(row) for row in rows)
    batch = ask(client, b"\xef\xbb\xbf" + text.encode(), zipped()).json()
    [item] = pending(batches.items(batches.read(batch["id"]), range(9))).values()
    assert (item.task, item.caption, item.crop) == (
        Task.MANIPULATE,
        "red; big, petals",
        Crop(1, 2, 30, 40),
    )


def test_what_is_no_list_is_called_what_it_is(client: httpx.Client) -> None:
    for text, told in (
        (b'[{"caption": "red"}]', "it is a JSON array, wanted JSONL"),
        (b" \n", "it is empty, wanted JSONL, or CSV"),
        (b"text;picture\nred;a.jpg", "there is `text`, `picture`; wanted one column `caption`"),
    ):
        [error] = ask(client, text).json()["errors"]
        assert error["field"] == "items"
        assert told in error["message"]


def test_a_number_is_an_id_as_good_as_any(client: httpx.Client) -> None:
    rows = [{"id": number, "caption": "red"} for number in (7, 0, "x", None)]
    batch = ask(client, lines(*rows, {"id": 8, "caption": "?"})).json()
    named = [(item["id"], item["status"]) for item in items_of(client, batch)]
    assert named == [
        ("7", "queued"), ("0", "queued"), ("x", "queued"), ("3", "queued"), ("8", "failed"),
    ]  # fmt: skip


@pytest.mark.parametrize("write", [table, lines], ids=["csv", "jsonl"])
def test_a_zip_of_which_no_line_names_a_picture_is_refused_with_the_columns_there_are(
    client: httpx.Client, queue: JobQueue, web_settings: Settings, write: Any
) -> None:
    answer = ask(client, write({"caption": "red", "picture": "0.jpg"}), zipped())
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "field": "items",
            "message": "no line names a picture of the ZIP, wanted its name in the column `image`; "
            "there is `caption`, `picture`",
        }
    ]
    assert queue.depth() == 0
    assert stored(web_settings) == []


def test_a_model_for_all_lines_that_is_not_here_is_refused(
    client: httpx.Client, queue: JobQueue
) -> None:
    answer = ask(client, b"caption\nred", model="nope")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "model"
    assert MODEL in answer.json()["suggestions"]
    assert queue.depth() == 0


BAD_LINES: dict[str, tuple[dict[str, Any], str]] = {
    "no caption": ({"image": "0.jpg"}, "caption: Field required"),
    "another end of nothing": (
        {"caption": "red", "image_to": "0.jpg"},
        "image_to: wanted an image",
    ),
    "unknown words at the end": (
        {"caption": "red", "image": "0.jpg", "caption_to": "crimson"},
        "caption_to: the model knows none",
    ),
    "no such end": ({"caption": "red", "image": "0.jpg", "image_to": "9.jpg"}, "image_to: the ZIP"),
    "unknown words alone": ({"caption": "crimson", "image": "0.jpg"}, "knows none"),
    "no such picture": ({"caption": "red", "image": "9.jpg"}, "no file of this name"),
    "two pictures": ({"caption": "red", "image": "0.jpg", "image_id": "x"}, "not both"),
    "no such model": ({"caption": "red", "image": "0.jpg", "model": "x"}, "no such model"),
    "a seed that is none": ({"caption": "red", "image": "0.jpg", "seed": "x"}, "seed: "),
    "a crop that is none": ({"caption": "red", "image": "0.jpg", "crop": "1,2"}, "crop: "),
}


@pytest.mark.parametrize(("row", "why"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_fails_alone(client: httpx.Client, row: dict[str, Any], why: str) -> None:
    good = {"caption": "red", "image": "1.jpg"}
    batch = ask(client, lines(good, row, good), zipped()).json()
    counts = batch["request_counts"]
    assert (counts["failed"], counts["pending"]) == (1, 2)
    bad = items_of(client, batch)[1]
    assert bad["status"] == "failed"
    assert why in bad["error"]["detail"]


def test_a_line_that_is_no_json_fails_alone(client: httpx.Client) -> None:
    text = b'{"caption": "red"}\n{oops\n[1]\n\n{"caption": "red"}'
    statuses = [item["status"] for item in items_of(client, ask(client, text).json())]
    assert statuses == ["queued", "failed", "failed", "queued"]


def test_a_batch_of_bad_lines_has_ended_at_once(client: httpx.Client, queue: JobQueue) -> None:
    batch = ask(client, lines({"caption": ""}, {"caption": "?"})).json()
    assert batch["status"] == "succeeded"
    assert batch["request_counts"]["failed"] == 2
    assert queue.depth() == 0


REFUSALS: dict[str, tuple[bytes, bytes | None, str]] = {
    "nothing": (b"", None, "items"),
    "no caption column": (b"name,picture\na,b", None, "items"),
    "not UTF-8": (b"caption\n\xff\xfe", None, "items"),
    "two caption columns": (b"caption,Caption\na,b", None, "items"),
    "broken CSV": (b'caption\n"red', None, "items"),
    "too many lines": (b"caption\n" + b"red\n" * 10_001, None, "items"),
    "no ZIP": (b"caption,image\nred,a.jpg", b"PK nothing", "images"),
}


@pytest.mark.parametrize(("items", "images", "field"), REFUSALS.values(), ids=REFUSALS)
def test_a_file_that_cannot_be_read_is_refused_and_leaves_nothing(
    client: httpx.Client,
    queue: JobQueue,
    web_settings: Settings,
    items: bytes,
    images: bytes | None,
    field: str,
) -> None:
    answer = ask(client, items, images)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert queue.depth() == 0
    assert stored(web_settings) == []


def test_ten_thousand_lines_are_taken(client: httpx.Client, queue: JobQueue) -> None:
    batch = ask(client, b"caption\n" + b"red flower\n" * 10_000).json()
    assert batch["request_counts"]["pending"] == 10_000
    assert queue.depth() == 20  # chunks of 512


def test_a_full_queue_takes_no_batch_and_keeps_none_of_its_pictures(
    web_settings: Settings,
) -> None:
    full = web_settings.model_copy(update={"max_queue": 2})
    edits = b"caption,image\n" + b"red,0.jpg\n" * 65  # two chunks
    with serving(create_app(full)) as address, httpx.Client(base_url=address) as client:
        assert ask(client, b"caption\nred").status_code == 202
        assert ask(client, edits, zipped()).status_code == 503  # known as it is queued
        assert ask(client, b"caption\nred").status_code == 202
        assert ask(client, edits, zipped()).status_code == 503  # known before
    assert stored(full) == []


def test_a_batch_that_the_key_is_not_good_for_leaves_nothing(web_settings: Settings) -> None:
    keyed = web_settings.model_copy(update={"access": "keys"})
    key = KeyFile(keyed.keys_file).create("who only edits", [Scope.EDIT])
    rows = b"caption,image\nred,0.jpg\nred flower,\n"
    with serving(create_app(keyed)) as address, httpx.Client(base_url=address) as client:
        refused = ask(client, rows, zipped(), {"Authorization": f"Bearer {key}"})
    assert refused.status_code == 403
    assert stored(keyed) == []


def test_batches_leave_the_queue_to_people_and_people_leave_theirs(
    web_settings: Settings, queue: JobQueue
) -> None:
    narrow = web_settings.model_copy(update={"max_queue": 2})
    with serving(create_app(narrow)) as address, httpx.Client(base_url=address) as client:
        assert [ask(client, b"caption\nred").status_code for _ in range(3)] == [202, 202, 503]
        drawn = [client.post("/generate", json={"caption": "red"}) for _ in range(3)]
    assert [answer.status_code for answer in drawn] == [202, 202, 503]
    assert queue.depths() == {"interactive": 2, "batch": 2}


def test_a_body_may_be_larger_than_an_upload_but_not_without_end(web_settings: Settings) -> None:
    tight = web_settings.model_copy(update={"max_upload_bytes": 1000, "max_batch_bytes": 3_000_000})
    with serving(create_app(tight)) as address, httpx.Client(base_url=address) as client:
        photos = zipped({"a.jpg": bytes(2_500_000)})
        edit = b"caption,image\nred,a.jpg"
        assert ask(client, edit, photos).status_code == 202
        assert ask(client, edit, photos + bytes(600_000)).status_code == 413
        assert ask(client, b"caption\n" + b"red\n" * 400).status_code == 413


def test_results_can_be_had_at_any_time(
    client: httpx.Client, batches: Batches, store: Store
) -> None:
    row = {"caption": "red", "image": "0.jpg"}
    batch = ask(client, lines(row | {"id": "one"}, row, row), zipped()).json()
    batches.note(
        batch["id"], MODEL, {0: done(store), 1: Failure("The picture is gone", "too late")}
    )
    first, second, third = items_of(client, batch)
    [output] = first["outputs"]
    assert client.get(output["image"]).content == picture()
    assert second["error"]["title"] == "The picture is gone"
    assert third["status"] == "queued"
    answer = client.get(batch["links"]["results"])
    assert answer.headers["content-type"] == "application/zip"
    with ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        told = [json.loads(line) for line in archive.read("manifest.jsonl").splitlines()]
        assert [line["files"] for line in told] == [["00000-0.jpg"], [], []]
        assert [line["id"] for line in told] == ["one", "1", "2"]
        assert archive.read("00000-0.jpg") == picture()
    assert client.get(f"{batch['links']['items']}/1/outputs/0/image").status_code == 404


def test_a_batch_has_ended_when_all_is_tried(
    client: httpx.Client, batches: Batches, store: Store
) -> None:
    batch = ask(client, b"caption\nred\nred\n").json()
    batches.begin(batch["id"])
    assert client.get(batch["links"]["self"]).json()["status"] == "processing"
    batches.note(batch["id"], MODEL, {0: done(store), 1: Failure("No", "no")})
    batches.note(batch["id"], MODEL, {1: done(store)})  # a worker that was thought dead
    batch = client.get(batch["links"]["self"]).json()
    assert batch["status"] == "succeeded"
    assert batch["finished_at"] < batch["expires_at"]
    counts = batch["request_counts"]
    assert (counts["succeeded"], counts["failed"], counts["pending"]) == (1, 1, 0)
    assert client.post(batch["links"]["cancel"]).json() == batch


def test_a_canceled_batch_keeps_what_is_done_and_takes_no_more(
    client: httpx.Client, batches: Batches, store: Store
) -> None:
    batch = ask(client, b"caption\nred\nred\nred\n").json()
    batches.note(batch["id"], MODEL, {1: done(store)})
    canceled = client.post(batch["links"]["cancel"]).json()
    assert canceled["status"] == "canceled"
    assert not batches.note(batch["id"], MODEL, {2: done(store)})
    assert client.post(batch["links"]["cancel"]).json() == canceled
    assert canceled["request_counts"] == {
        "total": 3, "succeeded": 1, "failed": 0, "canceled": 2, "expired": 0, "pending": 0,
    }  # fmt: skip
    assert [item["status"] for item in items_of(client, batch)] == [
        "canceled", "succeeded", "canceled",
    ]  # fmt: skip


def test_items_come_by_the_page(client: httpx.Client) -> None:
    batch = ask(client, b"caption\n" + b"red\n" * 5).json()
    page = client.get(batch["links"]["items"], params={"first": 1, "limit": 3}).json()
    assert ([item["number"] for item in page["items"]], page["next"]) == ([1, 2, 3], 4)
    page = client.get(batch["links"]["items"], params={"first": 4, "limit": 3}).json()
    assert ([item["number"] for item in page["items"]], page["next"]) == ([4], None)


def test_items_come_by_how_they_stand(client: httpx.Client) -> None:
    batch = ask(client, b"caption\nred\n?\nred\n?\n?\n").json()
    params: dict[str, Any] = {"status": "failed", "limit": 2}
    page = client.get(batch["links"]["items"], params=params).json()
    assert ([item["number"] for item in page["items"]], page["next"]) == ([1, 3], 4)
    page = client.get(batch["links"]["items"], params=params | {"first": 4}).json()
    assert ([item["number"] for item in page["items"]], page["next"]) == ([4], None)
    assert page["items"][0]["error"]["detail"].startswith("caption: ")


def test_the_same_batch_with_the_same_key_is_done_once(
    client: httpx.Client, queue: JobQueue, web_settings: Settings
) -> None:
    headers = {"Idempotency-Key": "batch-1"}
    first, again = (ask(client, table(*_ROWS), zipped(), headers) for _ in range(2))
    assert first.json() == again.json()
    assert queue.depth() == 1
    assert len(stored(web_settings)) == 1
    assert ask(client, table(*_ROWS[:1]), zipped(), headers).status_code == 422


def test_an_expired_batch_says_so_and_its_pictures_are_gone(
    web_settings: Settings, batches: Batches, store: Store
) -> None:
    short = web_settings.model_copy(update={"result_ttl_s": 0})
    with serving(create_app(short)) as address, httpx.Client(base_url=address) as client:
        batch = ask(client, b"caption\nred\n").json()
        batches.note(batch["id"], MODEL, {0: done(store)})
        assert client.get(batch["links"]["self"]).json()["status"] == "expired"
        assert client.get(batch["links"]["results"]).status_code == 410


@pytest.mark.parametrize("path", ["", "/items", "/results", "/items/0/outputs/0/image"])
def test_a_batch_that_never_was_is_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(f"/batches/{'0' * 32}{path}").status_code == 404


def test_no_key_of_a_batch_lives_for_ever(client: httpx.Client, queue: JobQueue) -> None:
    ask(client, b"caption\nred\n\n?\n", headers={"Idempotency-Key": "k"})
    keys = set(queue.connection.keys("wordbrush:*")) - {COUNTS.encode()}  # which outlive all
    assert len(keys) >= 5
    assert all(queue.connection.ttl(key) > 0 for key in keys)
