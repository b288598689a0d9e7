"""What was made: back and forth through it, kept by the browser, brought back from its file."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.browsing import (
    after,
    choose,
    edit,
    edits,
    expect_kept,
    give,
    photo,
    pixels,
    violations,
    write,
)
from tests.e2e.conftest import Noise, OpenPage, Server

YELLOW = "this flower has yellow petals"
PURPLE = "this flower has purple petals"


def test_undo_and_redo_go_through_all_that_was_shown(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    edit(page, YELLOW)
    edit(page, PURPLE)
    page.keyboard.press("Control+z")
    expect(after(page)).to_have_attribute("alt", f"After: {YELLOW}")
    expect(page.locator("#caption")).to_have_value(YELLOW)
    page.keyboard.press("Control+z")
    expect(after(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.get_by_role("button", name="Redo").click()
    page.keyboard.press("Control+Shift+z")
    expect(after(page)).to_have_attribute("alt", f"After: {PURPLE}")
    expect(page.locator(".still")).to_have_count(2)


def test_typing_is_undone_before_pictures_are(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    edit(page, YELLOW)
    page.keyboard.type(" x")
    page.keyboard.press("Control+z")
    expect(page.locator("#caption")).to_have_value(f"{YELLOW} ")
    expect(after(page)).to_have_attribute("alt", f"After: {YELLOW}")
    page.keyboard.press("Control+z")
    expect(after(page)).to_have_count(0)


def test_the_browser_keeps_results_when_the_page_and_the_server_forget(
    server: Server, page: Page, noise: Noise, tmp_path: Path
) -> None:
    noise.expected += ["status of 410", "status of 422"]
    choose(page, photo(tmp_path))
    edit(page, YELLOW)
    page.get_by_role("button", name="Favourite", exact=True).click()
    edit(page, PURPLE)
    expect_kept(page, 2)
    for file in server.data_dir.glob("store/**/*"):
        if file.is_file():
            file.unlink()
    page.reload()
    page.wait_for_selector("html[data-ready]")

    expect(page.get_by_role("img", name=f"After: {PURPLE}")).to_be_visible()
    page.get_by_role("button", name="Favourites").click()
    expect(page.locator(".still")).to_have_count(1)
    page.get_by_role("button", name=f"{YELLOW}, favourite").click()
    expect(page.get_by_role("img", name=f"After: {YELLOW}")).to_be_visible()
    with page.expect_download() as downloading:
        page.locator("#download").click()
    assert pixels(Path(downloading.value.path())).size > 0
    edit(page, "this flower has white petals")


def test_a_deleted_result_comes_back_by_undo_and_else_stays_away(
    page: Page, tmp_path: Path
) -> None:
    choose(page, photo(tmp_path))
    edit(page, YELLOW)
    edit(page, PURPLE)
    expect_kept(page, 2)
    page.locator(".still").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    expect(page.locator(".still")).to_have_count(1)
    page.locator("#toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".still")).to_have_count(2)
    expect(after(page)).to_have_attribute("alt", f"After: {YELLOW}")
    page.get_by_role("button", name="Delete this result").click()
    expect_kept(page, 1)
    page.reload()
    expect(page.locator(".still")).to_have_count(1)


def test_a_saved_result_that_is_dropped_brings_back_what_made_it(
    server: Server, page: Page, open_page: OpenPage, tmp_path: Path
) -> None:
    choose(page, photo(tmp_path, name="flower.jpg"))
    page.locator("#crop-box").press("-")
    page.locator("#seed").fill("77")
    edit(page, YELLOW)
    with page.expect_download() as downloading:
        page.locator("#download").click()
    saved = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(saved)
    edit(page, PURPLE)

    give(page, saved)
    expect(after(page)).to_have_attribute("alt", f"After: {YELLOW}")
    expect(page.locator("#toast")).to_contain_text("This was made here")

    elsewhere = open_page(server.url)
    asked = edits(elsewhere)
    give(elsewhere, saved)
    expect(elsewhere.locator("#caption")).to_have_value(YELLOW)
    expect(elsewhere.locator("#seed")).to_have_value("77")
    write(elsewhere, PURPLE)
    elsewhere.keyboard.press("Enter")
    expect(elsewhere.locator(".still")).to_have_count(1)
    whole = pixels(saved).shape
    sent = re.search(r'name="crop"\r\n\r\n(\d+),(\d+),(\d+),(\d+)', asked[0].post_data or "")
    assert sent
    assert int(sent[3]) < whole[0]


def test_the_browsers_back_leaves_the_photo_and_forward_returns(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    edit(page, YELLOW)
    page.go_back()
    expect(page.locator("#welcome")).to_be_visible()
    page.go_forward()
    expect(after(page)).to_have_attribute("alt", f"After: {YELLOW}")


def test_the_gallery_finds_by_words_opens_marks_and_deletes(
    server: Server, page: Page, tmp_path: Path
) -> None:
    choose(page, photo(tmp_path, scale=0.3))
    edit(page, YELLOW)
    edit(page, PURPLE)
    expect_kept(page, 2)
    page.goto(f"{server.url}/about/gallery")
    kept = page.locator("#gallery li")
    expect(kept).to_have_count(2)
    page.get_by_role("searchbox").fill("yel")
    expect(kept).to_have_count(1)
    page.get_by_role("button", name=f"Favourite: {YELLOW}").click()
    assert violations(page) == []
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name=f"Delete: {PURPLE}").click()
    expect(kept).to_have_count(1)
    page.get_by_role("button", name="Undo the deletion").click()
    expect(kept).to_have_count(2)
    page.get_by_role("button", name=f"Delete: {PURPLE}").click()
    expect(kept).to_have_count(1)
    kept.get_by_role("link").click()
    expect(after(page)).to_have_attribute("alt", f"After: {YELLOW}")
    expect(page.locator("#favourite")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".still")).to_have_count(1)
