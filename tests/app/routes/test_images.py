from collections.abc import Iterator
from datetime import UTC, datetime
from time import sleep

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import picture, serving, stored
from tests.app.receiver import Answering, answer, receiving


@pytest.fixture
def fetching(web_settings: Settings) -> Iterator[httpx.Client]:
    """A web process that fetches pictures, from 127.0.0.1 too."""
    changes = {
        "image_urls": True,
        "image_url_timeout_s": 1.5,
        "outbound_hosts": ("127.0.0.1",),
        "max_upload_bytes": 100_000,
    }
    app = create_app(web_settings.model_copy(update=changes))
    with serving(app) as address, httpx.Client(base_url=address, timeout=20) as client:
        yield client


def test_a_picture_is_kept_under_an_id_with_its_size_and_end(
    client: httpx.Client, web_settings: Settings
) -> None:
    answer = client.post("/images", files={"image": ("x.txt", picture(80, 60, "webp"))})
    assert answer.status_code == 201
    kept = answer.json()
    assert (kept["width"], kept["height"]) == (80, 60)
    assert datetime.fromisoformat(kept["expires_at"]) > datetime.now(UTC)
    assert len(stored(web_settings)) == 1


def test_the_name_and_type_that_a_browser_gives_count_for_nothing(client: httpx.Client) -> None:
    lie = {"image": ("../../photo.jpg", b"%PDF-1.7", "image/jpeg")}
    answer = client.post("/images", files=lie)
    assert answer.status_code == 415
    assert "PDF" in answer.json()["detail"]


def test_a_form_without_a_picture_is_refused(client: httpx.Client, web_settings: Settings) -> None:
    for files in ({"other": ("a", b"b")}, {"image": ("", b"")}):
        answer = client.post("/images", files=files)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "image"
    assert stored(web_settings) == []


def test_a_kept_picture_can_be_seen_again_by_its_id(client: httpx.Client) -> None:
    image_id = client.post("/images", files={"image": picture()}).json()["image_id"]
    answer = client.get(f"/images/{image_id}")
    assert (answer.headers["content-type"], answer.content) == ("image/jpeg", picture())
    assert client.get("/images/uploads-" + "0" * 32 + ".png").status_code == 410
    assert client.get("/images/results-" + "0" * 32 + ".png").status_code == 422


def test_a_picture_is_fetched_from_its_address_where_that_is_on(fetching: httpx.Client) -> None:
    with receiving(lambda handler, _: answer(handler, 200, picture(80, 60))) as there:
        url = f"http://127.0.0.1:{there.port}/flower.jpg"
        kept = fetching.post("/images", data={"image_url": url})
        edit = fetching.post("/manipulate", data={"image_url": url, "caption": "yellow"})
    assert (kept.status_code, kept.json()["width"]) == (201, 80)
    assert fetching.get(f"/images/{kept.json()['image_id']}").content == picture(80, 60)
    assert edit.status_code == 202
    assert [arrival.path for arrival in there.arrivals] == ["/flower.jpg"] * 2


def test_addresses_are_not_fetched_unless_that_is_on(client: httpx.Client) -> None:
    with receiving() as there:
        url = f"http://127.0.0.1:{there.port}/"
        refused = client.post("/images", data={"image_url": url})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "image_url"
    assert there.arrivals == []


@pytest.mark.parametrize(
    ("answering", "status", "kind"),
    [
        (lambda handler, _: answer(handler, 404), 422, "no-answer"),
        (lambda handler, _: answer(handler, 200, b"<html>"), 415, "not-a-picture"),
        (lambda handler, _: answer(handler, 200, b"x" * 200_000), 413, "too-large"),
        (lambda handler, _: sleep(3), 422, "no-answer"),
        (
            lambda handler, _: answer(handler, 302, Location="http://169.254.169.254/latest"),
            422,
            "refused-address",
        ),
    ],
    ids=["missing", "no picture", "too large", "too slow", "leads inside"],
)
def test_what_an_address_does_not_give_is_told(
    fetching: httpx.Client, web_settings: Settings, answering: Answering, status: int, kind: str
) -> None:
    with receiving(answering) as there:
        url = f"http://127.0.0.1:{there.port}/"
        refused = fetching.post("/images", data={"image_url": url})
    assert refused.status_code == status
    assert refused.json()["type"].endswith(kind)
    assert stored(web_settings) == []


@pytest.mark.parametrize(
    "url", ["http://localhost:1/a.jpg", "file:///etc/passwd", "http://[::1]/", "flower.jpg"]
)
def test_an_address_inside_is_not_called(fetching: httpx.Client, url: str) -> None:
    refused = fetching.post("/images", data={"image_url": url})
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("refused-address")
