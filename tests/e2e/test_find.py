"""Pictures that are like one, but as words say: found, and edited from there."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.browsing import choose, edit, expect_kept, photo, violations
from tests.e2e.conftest import LIBRARY, Noise, Server


def test_a_picture_and_words_find_others_and_one_of_them_is_edited(
    server: Server, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/about/gallery")
    page.locator("#find-file").set_input_files(photo(tmp_path, scale=0.3))
    expect(page.get_by_role("img", name="The picture to start from")).to_be_visible()
    page.get_by_role("textbox", name="but").fill("a red flower")
    page.get_by_role("textbox", name="but").press("Enter")
    matches = page.get_by_role("list", name="Found").get_by_role("link")
    expect(page.locator("#find-state")).to_contain_text(f"The nearest of {len(LIBRARY)} pictures")
    expect(matches).not_to_have_count(0)
    expect(matches.first.get_by_role("presentation")).to_have_js_property("complete", True)
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    matches.first.click()
    expect(page.locator("#before canvas")).to_be_visible()


def test_what_one_made_is_found_too_and_is_a_place_to_start_from(
    server: Server, page: Page, tmp_path: Path
) -> None:
    choose(page, photo(tmp_path, scale=0.3))
    edit(page, "this flower has yellow petals")
    expect_kept(page, 1)
    page.goto(f"{server.url}/about/gallery")
    page.get_by_role("textbox", name="but").fill("a red flower")
    page.get_by_role("button", name="Find", exact=True).click()
    found = page.get_by_role("list", name="Found")
    expect(found.get_by_role("link")).to_have_count(len(LIBRARY) + 1)
    expect(found).to_contain_text("One of yours")
    page.get_by_role("button", name="Find like this").click()
    expect(page.get_by_role("img", name="The picture to start from")).to_be_visible()
    page.get_by_role("button", name="Find", exact=True).click()
    expect(found).not_to_contain_text("One of yours")  # it is what others are like


def test_words_that_nobody_knows_are_refused_with_advice(
    server: Server, page: Page, noise: Noise
) -> None:
    noise.expected.append("the server responded with a status of 422")
    page.goto(f"{server.url}/about/gallery")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.locator("#find-state")).to_contain_text("Choose a picture, or say in words")
    page.get_by_role("textbox", name="but").fill("qwertz")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("none of these words")
