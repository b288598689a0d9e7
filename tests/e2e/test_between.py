"""From one caption or photo to another, in steps."""

from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.browsing import choose, edits, field, photo, violations, write

YELLOW = "this flower has yellow petals"
PURPLE = "this flower has purple petals"


def test_steps_between_two_captions_are_seen_by_a_slider_and_saved(
    page: Page, tmp_path: Path
) -> None:
    choose(page, photo(tmp_path, name="flower.jpg", scale=0.5))
    write(page, YELLOW)
    asked = edits(page)
    page.get_by_role("button", name="From here to there").click()
    page.get_by_label("To these words").fill(YELLOW)
    expect(page.locator("#between-go")).to_be_disabled()
    page.get_by_label("To these words").fill(PURPLE)
    assert violations(page) == []
    page.locator("#between-go").click()
    slider = page.get_by_label("Place on the way")
    expect(slider).to_be_visible()
    assert field(asked[0], "caption_to") == PURPLE
    expect(page.locator("#between-text")).to_contain_text(f"% of the way to “{PURPLE}”")
    assert violations(page) == []
    slider.press("End")
    expect(page.locator("#between-picture").get_by_role("img", name=PURPLE)).to_be_visible()
    slider.press("Home")
    expect(page.locator("#between-text")).to_have_text(f"“{YELLOW}”")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Save as WebP").click()
    with Image.open(downloading.value.path()) as film:
        assert (film.format, getattr(film, "n_frames", 1) > 2) == ("WEBP", True)
    page.locator("#view-crop").click()
    expect(page.locator("#frame")).to_be_visible()


def test_steps_lead_to_another_photo_of_another_shape(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path, name="first.jpg", scale=0.4))
    page.locator("#leave").click()
    with Image.open(photo(tmp_path, name="second.jpg", scale=0.5)) as whole:
        whole.crop((0, 0, 200, 213)).save(tmp_path / "second.jpg")
    choose(page, tmp_path / "second.jpg")
    write(page, YELLOW)
    page.get_by_role("button", name="From here to there").click()
    page.get_by_label("To these words").fill("")
    page.get_by_label("To this photo").select_option(label="first.jpg")
    page.locator("#between-go").click()
    slider = page.get_by_label("Place on the way")
    expect(slider).to_be_visible()
    slider.press("Home")
    expect(page.locator("#between-picture").get_by_role("img", name="second.jpg")).to_be_visible()
