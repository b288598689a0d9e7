from datetime import UTC, datetime

import httpx

from app.settings import Settings
from tests.app.conftest import picture, stored


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
