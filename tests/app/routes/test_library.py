from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from app.settings import Settings
from tests.app.conftest import picture


@pytest.fixture
def web_settings(web_settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a web process with a library of its own."""
    shoes = tmp_path / "library" / "shoes"
    shoes.mkdir(parents=True)
    (shoes / "red one.jpg").write_bytes(picture(300, 200))
    (shoes / "notes.txt").write_text("not for everybody")
    return web_settings.model_copy(update={"library": tmp_path / "library"})


def test_a_picture_is_given_as_it_is_or_small(client: httpx.Client) -> None:
    whole = client.get("/library/shoes/red%20one.jpg")
    assert (whole.headers["content-type"], whole.content) == ("image/jpeg", picture(300, 200))
    small = client.get("/library/shoes/red%20one.jpg", params={"side": 60})
    with Image.open(BytesIO(small.content)) as image:
        assert (image.format, image.size) == ("WEBP", (60, 40))


def test_a_picture_that_the_client_has_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/library/shoes/red%20one.jpg")
    again = {"If-None-Match": first.headers["etag"]}
    assert client.get("/library/shoes/red%20one.jpg", headers=again).status_code == 304


@pytest.mark.parametrize("name", ["nothing.jpg", "shoes/notes.txt", "shoes", "..%2Fsecret.jpg"])
def test_what_is_no_picture_of_the_library_is_not_given(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/library/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
