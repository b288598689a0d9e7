"""Many pictures at once: seeds, models, captions by models."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.browsing import after, choose, edits, field, photo, pixels, violations, write
from tests.e2e.conftest import Noise

YELLOW = "this flower has yellow petals"


def test_variations_are_one_request_and_one_of_them_is_taken_over(
    page: Page, tmp_path: Path
) -> None:
    choose(page, photo(tmp_path, name="flower.jpg"))
    write(page, YELLOW)
    asked = edits(page)
    page.locator("#explore-seeds").click()
    expect(page.locator(".cell canvas")).to_have_count(8)
    assert [field(request, "variations") for request in asked] == ["8"]
    assert page.locator(".still").count() == 0
    page.get_by_role("button", name="Seed 5").click()
    expect(after(page)).to_have_attribute("alt", f"After: {YELLOW}")
    expect(page.locator("#seed")).to_have_value("5")
    expect(page.locator(".still")).to_have_count(1)
    assert field(asked[1], "seed") == "5"
    assert field(asked[1], "full_resolution") == "true"
    page.get_by_role("button", name="Many").click()
    expect(page.locator(".cell canvas")).to_have_count(8)


def test_captions_by_models_are_a_table(page: Page, noise: Noise, tmp_path: Path) -> None:
    noise.expected.append("the server responded with a status of 422")
    choose(page, photo(tmp_path, name="flower.jpg"))
    page.locator("#explore-captions").click()
    page.get_by_role("dialog").get_by_label("Captions, one a line").fill(
        "yellow petals\nwhite petals\nqwertz\n"
    )
    for box in page.locator("#captions-models input").all():
        box.set_checked(box.get_attribute("value") in ("tagan-flowers-64", "tagan-clothes-64"))
    expect(page.locator("#captions-go")).to_have_text("Make 6 pictures")
    assert violations(page) == []
    page.locator("#captions-go").click()
    expect(page.locator(".cell canvas")).to_have_count(4)
    expect(page.locator(".cell-problem").first).to_contain_text("none of these words")
    expect(page.get_by_role("rowheader", name="white petals")).to_be_visible()
    expect(page.get_by_role("columnheader", name="clothes")).to_be_visible()
    expect(page.locator("#sheet")).not_to_have_attribute("data-busy", "")
    assert violations(page) == []
    page.locator(".cell").nth(3).click()
    expect(page.locator("#model")).to_have_value("tagan-clothes-64")
    expect(page.locator("#caption")).to_have_value("white petals")


def test_escape_ends_a_sheet_and_keeps_what_is_there(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path, name="flower.jpg", scale=2))
    page.locator("#explore-captions").click()
    page.locator("#captions-go").click()
    expect(page.locator("#sheet")).to_have_attribute("data-busy", "")
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).not_to_have_attribute("data-busy", "")
    assert page.locator(".cell").count() == 6
    assert page.locator(".cell canvas").count() < 6


def test_captions_by_photos_are_a_table_that_is_saved_as_one_picture(
    page: Page, tmp_path: Path
) -> None:
    choose(page, photo(tmp_path, name="flower.jpg"))
    page.locator("#explore-photos").click()
    page.get_by_role("dialog").get_by_label("Captions, one a line").fill(
        "yellow petals\nwhite petals"
    )
    page.locator("#photos-list").get_by_text("Marigold in a garden").click()
    page.locator("#photos-file").set_input_files(photo(tmp_path, name="own.png", scale=0.5))
    expect(page.locator("#photos-go")).to_have_text("Make 6 pictures")
    assert violations(page) == []
    page.locator("#photos-go").click()
    expect(page.locator(".cell canvas")).to_have_count(6)
    expect(page.get_by_role("columnheader", name="marigold.jpg")).to_be_visible()
    assert violations(page) == []

    with page.expect_download() as downloading:
        page.get_by_role("button", name="Save as one picture").click()
    saved = pixels(Path(downloading.value.path()))
    assert saved.shape[1] > 3 * 256

    page.get_by_role("button", name="white petals, marigold.jpg").click()
    expect(page.get_by_role("img", name="The photo, marigold.jpg")).to_be_visible()
    expect(after(page)).to_have_attribute("alt", "After: white petals")
    page.get_by_role("button", name="Many").click()
    expect(page.locator(".cell canvas")).to_have_count(6)
