"""A result as a link, and what somebody sees who opens it."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.browsing import after, await_result, choose, edit, photo, violations
from tests.e2e.conftest import Noise, OpenPage, Server

PURPLE = "this flower has purple petals"


def test_a_link_makes_the_picture_of_a_sample_again(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Marigold in a garden").click()
    expect(page.locator("#before canvas")).to_be_visible()
    page.locator("#seed").fill("7")
    edit(page, PURPLE)
    page.locator("#film button").first.focus()
    page.keyboard.press("l")
    expect(page.locator("#share-about-photo")).to_contain_text("the sample “Marigold in a garden”")
    expect(page.get_by_role("checkbox", name="With the photo")).to_be_hidden()
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("The link is copied")
    link = page.evaluate("navigator.clipboard.readText()")

    other = open_page(link)
    await_result(other, PURPLE)
    expect(other.locator("#seed")).to_have_value("7")
    assert other.url == f"{server.url}/#edit"


def test_of_a_photo_of_ones_own_the_link_says_how_long_it_lasts(
    server: Server, open_page: OpenPage, noise: Noise, tmp_path: Path
) -> None:
    noise.expected.append("the server responded with a status of 4")
    page = open_page(server.url)
    choose(page, photo(tmp_path))
    edit(page, PURPLE)
    page.locator("#share").click()
    expect(page.locator("#share-about-photo")).to_contain_text("with what the camera wrote into it")
    expect(page.locator("#share-about-photo")).to_contain_text("until")
    link = page.locator("#share-link").input_value()
    await_result(open_page(link), PURPLE)

    page.get_by_role("checkbox", name="With the photo").uncheck()
    expect(page.locator("#share-about-photo")).to_contain_text("Only the words")
    alone = page.locator("#share-link").input_value()
    assert "uploads" not in alone
    assert violations(page) == []
    there = open_page(alone)
    choose(there, photo(tmp_path))
    expect(there.locator("#caption")).to_have_value(PURPLE)

    gone = open_page(re.sub("uploads-.{10}", "uploads-0000000000", link))
    expect(gone.get_by_role("alert")).to_contain_text("no longer there")
    choose(gone, photo(tmp_path))
    expect(gone.locator("#caption")).to_have_value(PURPLE)


def test_a_drawing_is_shared_by_its_words(page: Page, open_page: OpenPage) -> None:
    page.get_by_role("button", name="Draw from words alone").click()
    edit(page, "a yellow flower")
    page.locator("#share").click()
    expect(page.locator("#share-about-photo")).to_contain_text("no photo is shared")
    other = open_page(page.locator("#share-link").input_value())
    expect(after(other)).to_have_attribute("alt", "After: a yellow flower")
