"""The pages about the service: its models, its queue."""

from typing import Any

import httpx
from playwright.sync_api import expect

from tests.e2e.browsing import SAMPLE, violations
from tests.e2e.conftest import SHOTS, Noise, OpenPage, Server


def test_the_models_are_shown_with_figures_card_and_samples(
    server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{server.url}/about/models")
    card = page.get_by_role("article", name="TAGAN 64 px, flowers")
    expect(card).to_contain_text("In memory")
    expect(card).to_contain_text("edits photos")
    card.get_by_text("The card").click()
    expect(card.get_by_role("columnheader", name="by template")).to_be_visible()
    sheet = card.get_by_role("img")
    sheet.scroll_into_view_if_needed()
    expect(sheet).to_have_js_property("complete", True)
    assert sheet.evaluate("(image) => image.naturalWidth") > 0
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "about-models.png")


def test_the_queue_is_shown_as_it_moves_and_a_job_in_it_is_stopped(
    workerless: Server, open_page: OpenPage, noise: Noise
) -> None:
    noise.expected.append("the server responded with a status of 503")
    page = open_page(f"{workerless.url}/about/queue")
    expect(page.locator("#no-jobs")).to_be_visible()
    expect(page.locator("#queue-state")).to_contain_text("No worker is ready")
    captions = ["a yellow flower", "a red flower"]
    for caption in captions:
        ask: dict[str, Any] = {
            "data": {"caption": caption},
            "files": {"image": SAMPLE.read_bytes()},
        }
        assert httpx.post(f"{workerless.url}/manipulate", **ask).status_code == 202
    rows = page.locator("#jobs-rows tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("1 before it")
    assert violations(page) == []
    rows.last.get_by_role("button", name="Stop").click()
    expect(rows.last).to_contain_text("Stopped")
    expect(rows.first).to_contain_text("Next in line")
    expect(rows.first.get_by_role("button", name="Try again")).to_be_hidden()
    rows.last.get_by_role("button", name="Try again").click()
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("1 before it")
    expect(rows.first).to_contain_text(captions[0])
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert violations(page) == []
    page.screenshot(path=SHOTS / "about-queue-narrow.png", full_page=True)


def test_a_job_whose_photo_is_gone_is_not_tried_again_and_the_page_says_why(
    workerless: Server, open_page: OpenPage, noise: Noise
) -> None:
    noise.expected += ["a status of 503", "a status of 410"]
    ask: dict[str, Any] = {
        "data": {"caption": "a yellow flower"},
        "files": {"image": SAMPLE.read_bytes()},
    }
    job = httpx.post(f"{workerless.url}/manipulate", **ask).json()
    httpx.post(workerless.url + job["links"]["cancel"])
    for kept in (workerless.data_dir / "store" / "uploads").iterdir():
        kept.unlink()
    page = open_page(f"{workerless.url}/about/queue")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("upload it again")
    expect(page.locator("#jobs-rows tr")).to_have_count(1)
