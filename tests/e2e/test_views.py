"""Before and after: divided, side by side, by holding; zoomed and moved in step."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from tests.e2e.browsing import after, choose, edit, photo, pixels, violations


def test_side_by_side_both_pictures_are_seen_whole_and_move_in_step(
    page: Page, tmp_path: Path
) -> None:
    choose(page, photo(tmp_path, name="flower.jpg"))
    edit(page)
    page.get_by_role("button", name="Beside").click()
    before, result = boxes(page)
    assert (before["width"], before["height"]) == (result["width"], result["height"])
    assert before["x"] + before["width"] <= result["x"]
    assert violations(page) == []

    frame = page.locator("#frame").bounding_box()
    assert frame
    page.mouse.move(frame["x"] + frame["width"] * 0.75, frame["y"] + frame["height"] / 2)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    expect(page.locator("#zoom-reset")).not_to_have_text("100 %")
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] * 0.6, frame["y"] + frame["height"] * 0.4, steps=3)
    page.mouse.up()
    before, result = boxes(page)
    assert before["width"] == result["width"] > frame["width"]
    assert abs((result["x"] - before["x"]) - frame["width"] / 2) < 4
    assert before["y"] == result["y"]
    page.locator("#zoom-reset").click()
    assert boxes(page)[0]["width"] < frame["width"]


def test_zoom_and_pan_work_by_keyboard(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path, name="flower.jpg"))
    edit(page)
    page.get_by_role("button", name="Larger").press("Enter")
    before = boxes(page)[1]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    moved = boxes(page)[1]
    assert moved["x"] < before["x"]
    assert moved["y"] < before["y"]
    page.get_by_role("button", name="Area").click()
    expect(page.locator("#zoom")).to_be_hidden()
    assert page.locator("#frame").get_attribute("data-zoomed") is None


def test_holding_the_picture_or_the_key_shows_the_photo_before(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path, name="flower.jpg"))
    edit(page)
    page.locator("#view-whole").click()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    expect(page.locator("#view-side")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("4")
    edited = shown(page)
    page.keyboard.down("b")
    assert differ(shown(page), edited)
    page.keyboard.up("b")
    assert not differ(shown(page), edited)
    page.locator("#hold").hover()
    page.mouse.down()
    assert differ(shown(page), edited)
    page.mouse.up()
    edit(page, "this flower has purple petals")
    expect(page.locator("#view-whole")).to_have_attribute("aria-pressed", "true")


def boxes(page: Page) -> list[dict[str, float]]:
    """Where the photo and the result are, all of them, seen or not."""
    found = [page.locator("#before canvas").bounding_box(), after(page).bounding_box()]
    return [{k: round(v, 1) for k, v in box.items()} for box in found if box]


def shown(page: Page) -> NDArray[np.uint8]:
    return pixels(page.locator("#frame").screenshot())


def differ(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """In the middle, where the flower is; a caret or a shadow elsewhere is no difference."""
    middle = tuple(slice(side // 3, 2 * side // 3) for side in one.shape[:2])
    return bool(np.abs(one[middle].astype(int) - other[middle]).mean() > 8)
