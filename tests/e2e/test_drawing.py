"""A picture from words alone, and which word did what in it."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.browsing import after, choose, edit, expect_kept, give, photo, pixels, violations

CAPTION = "a yellow flower with red petals"
_EDITED = ("this", "flower", "has", "yellow", "petals")


def test_a_picture_is_drawn_from_words_again_with_another_seed_and_from_its_file(
    page: Page, tmp_path: Path
) -> None:
    draw(page)
    first = pixels_shown(page)
    with page.expect_download() as downloading:
        page.locator("#download").click()
    saved = tmp_path / downloading.value.suggested_filename
    assert saved.name == "drawn-a-yellow-flower-with-red-petals.png"
    downloading.value.save_as(saved)

    page.locator("#again").click()
    expect(page.locator(".still")).to_have_count(2)
    assert pixels_shown(page) != first
    expect_kept(page, 2)
    page.reload()
    expect(page.locator(".still")).to_have_count(2)
    give(page, saved)
    expect(page.locator("#seed")).to_have_value("0")
    assert pixels_shown(page) == first


def test_from_a_drawing_one_comes_to_a_photo_and_by_undo_back(page: Page, tmp_path: Path) -> None:
    draw(page)
    give(page, photo(tmp_path))
    expect(page.locator("#before canvas")).to_be_visible()
    edit(page)
    for _ in range(2):
        page.keyboard.press("Control+z")
    expect(after(page)).to_have_attribute("alt", f"After: {CAPTION}")
    expect(page.locator("#before canvas")).to_have_count(0)
    expect(page.locator("#model")).to_have_value("attngan-flowers-128")


def test_a_word_lights_up_its_place_and_stays_lit_when_it_is_pressed(page: Page) -> None:
    draw(page)
    heat, words = page.locator("#heat"), page.locator("#insight-words button")
    expect(words).to_have_count(6)
    expect(heat).to_be_hidden()
    words.nth(1).focus()
    expect(heat).to_be_visible()
    dark = page.evaluate("""() => {
      const { width, height } = document.querySelector("#heat");
      const context = document.querySelector("#heat").getContext("2d");
      const { data } = context.getImageData(0, 0, width, height);
      return [...data].filter((_, n) => n % 4 === 3);
    }""")
    assert min(dark) < max(dark)
    page.keyboard.press("Enter")
    page.locator("#caption").focus()
    expect(heat).to_be_visible()
    expect(words.nth(1)).to_have_attribute("aria-pressed", "true")
    words.nth(1).click()
    page.locator("#caption").hover()
    page.locator("#caption").focus()
    expect(heat).to_be_hidden()


def test_a_place_ranks_the_words_by_pointer_and_by_keys(page: Page) -> None:
    draw(page)
    here = page.locator("#insight-here")
    page.locator("#probe").hover(position={"x": 20, "y": 20})
    expect(here).to_contain_text("Here: ")
    page.locator("#caption").hover()
    expect(here).to_contain_text("Point at a word")
    page.locator("#probe").focus()
    page.keyboard.press("ArrowRight")
    expect(here).to_contain_text("Here: ")
    assert violations(page) == []


def test_the_words_and_their_places_are_saved_as_one_picture(page: Page, tmp_path: Path) -> None:
    draw(page)
    expect(page.locator("#insight-top .figure")).to_have_count(5)
    expect(page.locator("#insight-steps img")).to_have_count(2)
    with page.expect_download() as downloading:
        page.locator("#insight-save").click()
    assert downloading.value.suggested_filename == "words-a-yellow-flower-with-red-petals.png"
    height, width, _ = pixels(Path(downloading.value.path())).shape
    assert width > 5 * 256
    assert 2 * 256 < height < 3 * 256  # two steps that looked at words


def test_an_edit_says_how_far_each_word_is_obeyed(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path, scale=0.3))
    page.locator("#model").select_option("tagan-flowers-64")
    edit(page, "this flower has yellow petals")
    words = page.locator("#insight-words .word")
    expect(words).to_have_text([re.compile(f"^{word} [0-9]+ %$") for word in _EDITED])
    expect(page.locator("#insight-here")).to_contain_text("obeys each word")
    assert violations(page) == []


def draw(page: Page) -> None:
    page.get_by_role("button", name="Draw from words alone").click()
    page.keyboard.type(CAPTION)
    page.keyboard.press("Enter")
    expect(after(page)).to_have_attribute("alt", f"After: {CAPTION}")


def pixels_shown(page: Page) -> bytes:
    source = after(page).get_attribute("src")
    return pixels(page.request.get(f"{page.url.split('/#')[0]}{source}").body()).tobytes()
