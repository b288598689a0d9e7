"""The page as a person uses it: real browser, real queue, real worker, the shipped weights."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import (
    CAPTION,
    after,
    await_result,
    choose,
    edit,
    edits,
    field,
    give,
    photo,
    pixels,
    write,
)
from tests.e2e.conftest import Noise, OpenPage, Server


def test_a_dropped_photo_is_edited_inside_the_area_and_nowhere_else(
    page: Page, tmp_path: Path
) -> None:
    file = photo(tmp_path)
    give(page, file)
    expect(page.locator("#caption")).to_be_focused()
    page.keyboard.type(CAPTION)
    page.keyboard.press("Enter")
    await_result(page)

    with page.expect_download() as downloading:
        page.locator("#download").click()
    assert downloading.value.suggested_filename == "flower-this-flower-has-yellow-petals.png"
    source, result = pixels(file), pixels(Path(downloading.value.path()))
    height, width, _ = source.shape
    left = (width - height) // 2
    inside = np_slice(left, 0, height)
    assert result.shape == source.shape
    assert (result[inside] != source[inside]).mean() > 0.05
    result = result.copy()
    result[inside] = source[inside]
    assert (result == source).all()


def test_a_jpeg_comes_back_as_a_jpeg_of_the_same_size(page: Page, tmp_path: Path) -> None:
    file = photo(tmp_path, name="holiday.jpg", scale=3)
    choose(page, file)
    edit(page)
    with page.expect_download() as downloading:
        page.locator("#download").click()
    assert downloading.value.suggested_filename.endswith(".jpg")
    assert pixels(Path(downloading.value.path())).shape == pixels(file).shape


def test_a_pasted_photo_is_taken(page: Page, tmp_path: Path) -> None:
    give(page, photo(tmp_path), kind="paste")
    expect(page.locator("#before canvas")).to_be_visible()


def test_a_sample_comes_with_a_caption_and_is_edited_by_enter(page: Page) -> None:
    page.get_by_role("button", name="Dahlia").click()
    expect(page.locator("#caption")).not_to_have_value("")
    page.locator("#caption").press("Enter")
    await_result(page, page.locator("#caption").input_value())


def test_an_unknown_word_is_marked_and_replaced_by_one_click(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    write(page, "this flowerzz has petals")
    expect(page.locator("#caption-marks mark")).to_have_text("flowerzz")
    suggestion = page.locator("#word-help button").first
    known = suggestion.inner_text()
    suggestion.click()
    expect(page.locator("#caption")).to_have_value(f"this {known} has petals")
    expect(page.locator("#caption-marks mark")).to_have_count(0)


def test_a_swatch_changes_the_colour_in_the_caption(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    write(page, "this flower has red petals")
    page.get_by_role("button", name="purple", exact=True).click()
    expect(page.locator("#caption")).to_have_value("this flower has purple petals")
    expect(page.get_by_role("button", name="purple", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_another_caption_changes_the_picture_and_the_strip_brings_the_first_back(
    page: Page, tmp_path: Path
) -> None:
    choose(page, photo(tmp_path))
    edit(page, "this flower has yellow petals")
    first = after(page).get_attribute("src")
    edit(page, "this flower has purple petals")
    assert pixels_of(page, first) != pixels_of(page, after(page).get_attribute("src"))
    page.get_by_role("button", name="this flower has yellow petals").first.click()
    expect(after(page)).to_have_attribute("src", first or "")
    expect(page.locator("#caption")).to_have_value("this flower has yellow petals")


def test_an_edit_that_was_made_before_is_not_asked_for_again(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    edit(page)
    asked = edits(page)
    page.keyboard.press("Enter")
    await_result(page)
    assert asked == []


def test_again_asks_for_the_same_words_with_another_seed(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    edit(page)
    asked = edits(page)
    page.locator("#again").click()
    expect(page.locator(".still")).to_have_count(2)
    assert field(asked[0], "caption") == CAPTION
    assert field(asked[0], "seed") == page.locator("#seed").input_value() != "0"


def test_live_mode_follows_the_typing_with_one_edit_in_flight(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    asked, in_flight, most = edits(page), 0, 0

    def begin(url: str) -> None:
        nonlocal in_flight, most
        if url.endswith("/manipulate"):
            in_flight += 1
            most = max(most, in_flight)

    def end(url: str) -> None:
        nonlocal in_flight
        in_flight -= url.endswith("/manipulate")

    page.on("request", lambda request: begin(request.url))
    page.on("requestfinished", lambda request: end(request.url))
    page.on("requestfailed", lambda request: end(request.url))
    write(page, "this flower")
    page.get_by_role("switch", name="Live").check()
    page.locator("#caption").press_sequentially(" has pink petals", delay=80)
    await_result(page, "this flower has pink petals")

    assert most == 1
    assert [field(request, "full_resolution") for request in asked][-1] == "true"
    assert {field(request, "full_resolution") for request in asked[:-1]} == {"false"}
    assert field(asked[-1], "caption") == "this flower has pink petals"


def test_live_mode_shows_pictures_to_somebody_who_never_pauses(page: Page, tmp_path: Path) -> None:
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.url.endswith("/images") else None)
    choose(page, photo(tmp_path))
    page.get_by_role("switch", name="Live").check()
    page.locator("#caption").focus()
    seen: list[tuple[str | None, str | None]] = []
    for letter in "red petals, " * 24:
        page.keyboard.type(letter)
        page.wait_for_timeout(50)
        if after(page).count():
            seen.append(
                (after(page).get_attribute("alt"), page.locator("#progress").text_content())
            )
        if len({alt for alt, _ in seen}) == 3:
            break
    assert len({alt for alt, _ in seen}) == 3
    assert {text for _, text in seen[1:]} == {"A preview; the whole picture follows when you pause"}
    assert len(sent) == 1


def test_the_area_is_moved_and_sized_by_keys_and_only_it_changes(
    page: Page, tmp_path: Path
) -> None:
    file = photo(tmp_path)
    choose(page, file)
    asked = edits(page)
    page.locator("#crop-box").focus()
    for key in ["-"] * 6 + ["Shift+ArrowLeft"] * 2 + ["ArrowDown"]:
        page.keyboard.press(key)
    edit(page)
    left, top, width, height = map(int, field(asked[0], "crop").split(","))
    source = pixels(file)
    assert width == height < source.shape[0]
    result = pixels(download(page)).copy()
    inside = np_slice(left, top, width)
    assert (result[inside] != source[inside]).any()
    result[inside] = source[inside]
    assert (result == source).all()


def test_the_area_is_dragged_and_resized_by_the_pointer(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    box = page.locator("#crop-box")
    before = box.bounding_box()
    corner = page.locator("[data-corner=se]").bounding_box()
    assert before
    assert corner
    drag(page, corner["x"] + 18, corner["y"] + 18, -120, -120)
    smaller = box.bounding_box()
    assert smaller
    assert smaller["width"] == pytest.approx(before["width"] - 120, abs=3)
    drag(page, smaller["x"] + 60, smaller["y"] + 60, 30, 40)
    moved = box.bounding_box()
    assert moved
    assert moved["x"] == pytest.approx(smaller["x"] + 30, abs=3)
    assert moved["y"] == pytest.approx(smaller["y"] + 40, abs=3)
    assert moved["width"] == pytest.approx(smaller["width"], abs=1)


def test_everything_can_be_done_by_keyboard_alone(page: Page) -> None:
    tab_to(page, '[data-sample="0"]')
    page.keyboard.press("Enter")
    expect(page.locator("#caption")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type(CAPTION)
    page.keyboard.press("Enter")
    await_result(page)
    tab_to(page, "#split", backwards=True)
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator("#split").input_value() == "600"
    tab_to(page, "#download", backwards=True)
    with page.expect_download():
        page.keyboard.press("Enter")
    tab_to(page, "#view-crop", backwards=True)
    page.keyboard.press("Enter")
    tab_to(page, "#crop-box")
    page.keyboard.press("-")
    page.keyboard.press("Control+k")
    expect(page.locator("#caption")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".still")).to_have_count(2)
    tab_to(page, "#leave", backwards=True)
    page.keyboard.press("Enter")
    expect(page.locator("#choose")).to_be_focused()
    tab_to(page, "#back")
    page.keyboard.press("Enter")
    await_result(page)


def test_what_a_person_types_is_never_markup(page: Page, tmp_path: Path) -> None:
    photo(tmp_path).rename(tmp_path / "<b>rose<b>.png")
    choose(page, tmp_path / "<b>rose<b>.png")
    write(page, "<img src=x onerror=alert(1)> <b>flower</b>")
    expect(page.locator("#word-help")).to_contain_text("onerror")
    assert page.locator("#caption-marks img, #word-help img, main b").count() == 0
    assert page.locator("#caption-marks").inner_text().strip() == (
        "<img src=x onerror=alert(1)> <b>flower</b>"
    )


def test_go_without_words_says_what_is_missing(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    page.locator("#go").click()
    expect(page.get_by_role("alert")).to_contain_text("Type what it should become")
    write(page, "a")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_file_that_is_no_picture_is_refused_in_the_servers_words(
    page: Page, noise: Noise, tmp_path: Path
) -> None:
    noise.expected.append("the server responded with a status of 415")
    (tmp_path / "letter.png").write_text("Dear Sir or Madam")
    page.locator("#file").set_input_files(tmp_path / "letter.png")
    expect(page.get_by_role("alert")).to_contain_text("JPEG, PNG or WebP")
    expect(page.locator("#welcome")).to_be_visible()


def test_a_file_over_the_limit_is_refused_before_it_is_sent(page: Page, tmp_path: Path) -> None:
    (tmp_path / "huge.png").write_bytes(bytes(25 * 2**20 + 1))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.locator("#file").set_input_files(tmp_path / "huge.png")
    expect(page.get_by_role("alert")).to_contain_text("at most 25 MB")
    assert not [url for url in sent if url.endswith("/images")]


def test_a_photo_that_the_server_has_forgotten_is_sent_again(
    server: Server, page: Page, noise: Noise, tmp_path: Path
) -> None:
    noise.expected.append("the server responded with a status of 422")
    choose(page, photo(tmp_path))
    edit(page)
    for file in server.data_dir.glob("store/**/*"):
        if file.is_file():
            file.unlink()
    edit(page, "this flower has red petals")


def test_offline_is_said_and_the_edit_works_when_the_network_is_back(
    page: Page, noise: Noise, tmp_path: Path
) -> None:
    noise.expected.append("net::ERR_INTERNET_DISCONNECTED")
    choose(page, photo(tmp_path))
    edit(page)
    page.context.set_offline(True)
    write(page, "this flower has red petals")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("You are offline")
    expect(page.locator("#server-state")).to_have_text("Offline")
    page.context.set_offline(False)
    expect(page.locator("#server-state")).to_have_text("")
    page.get_by_role("button", name="Try again").click()
    await_result(page, "this flower has red petals")


def test_words_that_the_model_does_not_know_at_all_are_refused_with_advice(
    page: Page, noise: Noise, tmp_path: Path
) -> None:
    noise.expected.append("the server responded with a status of 422")
    choose(page, photo(tmp_path))
    write(page, "qwertz asdfgh")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("none of these words")
    write(page, CAPTION)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_live_mode_is_silent_about_words_half_typed(
    page: Page, noise: Noise, tmp_path: Path
) -> None:
    noise.expected.append("the server responded with a status of 422")
    choose(page, photo(tmp_path))
    page.get_by_role("switch", name="Live").check()
    with page.expect_response(lambda response: response.url.endswith("/manipulate")) as answer:
        write(page, "qwertz")
    assert answer.value.status == 422
    write(page, CAPTION)
    await_result(page)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_without_a_worker_the_page_says_so_shows_the_line_and_stops(
    workerless: Server, open_page: OpenPage, noise: Noise, tmp_path: Path
) -> None:
    noise.expected.append("the server responded with a status of 503")
    page = open_page(workerless.url)
    expect(page.locator("#server-state")).to_have_text("Warming up")
    choose(page, photo(tmp_path))
    write(page, "a yellow flower")
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_have_text("Next in line…")
    with page.expect_response(re.compile("/cancel$")) as stopping:
        page.get_by_role("button", name="Stop").click()
    job = httpx.get(stopping.value.url.removesuffix("/cancel")).json()
    assert job["status"] == "canceled"
    expect(page.get_by_role("button", name="Go")).to_be_visible()


def test_the_choice_of_dark_outlasts_the_page(page: Page) -> None:
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Dark colours").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    assert page.evaluate(paper) == dark


def test_nothing_moves_for_a_person_who_asked_for_that(
    server: Server, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(server.url, reduced_motion="reduce")
    choose(page, photo(tmp_path, scale=4))
    page.keyboard.type(CAPTION)
    page.keyboard.press("Enter")
    expect(page.locator("#working")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
    await_result(page)


def np_slice(left: int, top: int, side: int) -> tuple[slice, slice]:
    return slice(top, top + side), slice(left, left + side)


def pixels_of(page: Page, path: str | None) -> bytes:
    return pixels(page.request.get(f"{page.url.split('/#')[0]}{path}").body()).tobytes()


def download(page: Page) -> Path:
    with page.expect_download() as downloading:
        page.locator("#download").click()
    return Path(downloading.value.path())


def drag(page: Page, x: float, y: float, dx: float, dy: float) -> None:
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


def tab_to(page: Page, selector: str, *, backwards: bool = False) -> None:
    """Press Tab until the element has the focus; and see that focus can be seen."""
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if page.evaluate("(s) => document.activeElement?.matches(s)", selector):
            return
    pytest.fail(f"{selector} cannot be reached by Tab")
