"""Words that are exchanged by a click, and captions that were used before."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.browsing import await_result, choose, edit, photo, violations, write

YELLOW = "this flower has yellow petals"


def test_a_word_is_exchanged_for_another_of_its_kind_by_keyboard(
    page: Page, tmp_path: Path
) -> None:
    choose(page, photo(tmp_path, scale=0.3))
    write(page, "many yellow petals, yellow stamen")
    second = page.get_by_role("button", name="yellow: another colour").nth(1)
    second.press("Enter")
    expect(second).to_have_attribute("aria-expanded", "true")
    assert violations(page) == []
    page.get_by_role("group", name="Others like yellow").get_by_role("button", name="pink").press(
        "Enter"
    )
    expect(page.locator("#caption")).to_have_value("many yellow petals, pink stamen")
    expect(page.get_by_role("button", name="pink: another colour")).to_be_focused()
    expect(page.locator(".word-others")).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator(".word-others")).to_have_count(0)


def test_earlier_words_are_one_click_away(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path, scale=0.3))
    edit(page, YELLOW)
    expect(page.locator("#earlier")).to_be_hidden()
    edit(page, "tiny blue petals")
    page.locator("#earlier").get_by_role("button", name=YELLOW).click()
    await_result(page, YELLOW)
    expect(page.locator("#caption")).to_have_value(YELLOW)


def test_words_of_another_domain_are_a_click_away_from_a_model_that_knows_them(page: Page) -> None:
    page.get_by_role("button", name="Draw from words alone").click()
    write(page, "a blue bird")
    page.locator("#word-help").get_by_role("button", name="Birds · AttnGAN").click()
    expect(page.locator("#model")).to_have_value("attngan-birds-64")
    expect(page.locator("#word-help")).to_be_empty()
