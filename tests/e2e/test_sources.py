"""What is edited, and which part of it: the brush, the camera, an earlier result."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from tests.app.receiver import answer, receiving
from tests.e2e.browsing import after, choose, edit, photo, pixels, violations
from tests.e2e.conftest import Noise, OpenPage, Server

YELLOW = "this flower has yellow petals"
PURPLE = "this flower has purple petals"


def test_only_what_was_painted_changes_and_a_reload_keeps_the_mask(
    page: Page, tmp_path: Path
) -> None:
    file = photo(tmp_path)
    choose(page, file)
    page.locator("#brush-on").click()
    box = page.locator("#brush").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.5, steps=5)
    page.mouse.up()
    assert violations(page) == []
    edit(page, PURPLE)
    assert_changed_in_the_middle(file, page)

    page.reload()
    expect(after(page)).to_have_attribute("alt", f"After: {PURPLE}")
    page.locator("#view-crop").click()
    expect(page.locator("#mask-shade")).to_be_visible()
    edit(page, YELLOW)
    assert_changed_in_the_middle(file, page)


def test_the_brush_works_by_keyboard(page: Page, tmp_path: Path) -> None:
    file = photo(tmp_path)
    choose(page, file)
    page.locator("#brush-on").click()
    page.locator("#brush").focus()
    page.keyboard.press("x")  # what is erased stays
    page.keyboard.down(" ")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.up(" ")
    page.keyboard.press("i")  # and now it is what changes
    edit(page, PURPLE)
    assert_changed_in_the_middle(file, page)
    page.locator("#view-crop").click()
    page.locator("#brush").focus()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator("#brush-clear")).to_be_disabled()


def test_the_object_is_found_and_painted_on_inverted_and_taken_back(
    page: Page, tmp_path: Path
) -> None:
    file = photo(tmp_path)
    choose(page, file)
    page.locator("#find-object").press("Enter")
    expect(page.locator("#toast")).to_contain_text("Only the object changes now")
    expect(page.locator("#mask-shade")).to_be_visible()
    assert violations(page) == []
    edit(page, PURPLE)
    flower, leaves = changed(file, page)[213, 320], changed(file, page)[:60]
    assert flower
    assert not leaves.any()

    page.reload()
    expect(after(page)).to_have_attribute("alt", f"After: {PURPLE}")
    page.locator("#view-crop").click()
    page.locator("#brush-on").click()
    page.get_by_role("button", name="Invert").click()
    edit(page, YELLOW)
    assert not changed(file, page)[213, 320]
    page.locator("#view-crop").click()
    for _ in range(2):
        page.locator("#brush-undo").click()
    expect(page.locator("#mask-shade")).to_be_hidden()


def test_a_plain_photo_has_no_object_and_the_page_says_so(page: Page, tmp_path: Path) -> None:
    Image.new("RGB", (200, 200), "#88aacc").save(tmp_path / "sky.png")
    choose(page, tmp_path / "sky.png")
    page.locator("#crop-box").focus()
    page.keyboard.press("o")
    expect(page.locator("#toast")).to_contain_text("Nothing stands out")
    expect(page.locator("#mask-shade")).to_be_hidden()


def test_a_picture_is_taken_by_the_camera_which_then_is_off(
    server: Server, open_page: OpenPage
) -> None:
    page = open_page(server.url, permissions=["camera"])
    page.get_by_role("button", name="Use the camera").click()
    assert violations(page) == []
    page.get_by_role("button", name="Take the picture").click()
    expect(page.get_by_role("img", name="The photo, camera.jpg")).to_be_visible()
    assert page.evaluate("document.querySelector('#camera-view').srcObject") is None


def test_a_result_becomes_the_photo_and_undo_leads_back(page: Page, tmp_path: Path) -> None:
    choose(page, photo(tmp_path))
    edit(page, YELLOW)
    page.get_by_role("button", name="Go on from this result").click()
    name = "The photo, flower-this-flower-has-yellow-petals.png"
    expect(page.get_by_role("img", name=name)).to_be_visible()
    expect(after(page)).to_have_count(0)
    edit(page, PURPLE)
    for _ in range(2):
        page.keyboard.press("Control+z")
    expect(page.get_by_role("img", name="The photo, flower.png")).to_be_visible()
    expect(after(page)).to_have_attribute("alt", f"After: {YELLOW}")


def test_a_photo_is_opened_by_its_address_and_what_is_wrong_with_one_is_said(
    fetching: Server, open_page: OpenPage, noise: Noise, tmp_path: Path
) -> None:
    noise.expected += ["status of 503", "status of 422"]  # no worker; an address without a picture
    file = photo(tmp_path)
    page = open_page(fetching.url)
    address = page.get_by_label("Address of a picture")
    with receiving(lambda handler, _: answer(handler, 404)) as there:
        address.fill(f"http://127.0.0.1:{there.port}/a.jpg")
        address.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("answered with status 404")
    assert violations(page) == []
    with receiving(lambda handler, _: answer(handler, 200, file.read_bytes())) as there:
        address.fill(f"http://127.0.0.1:{there.port}/my%20flower.png?size=large")
        address.press("Enter")
        expect(page.get_by_role("img", name="The photo, my flower.png")).to_be_visible()
    assert len(list((fetching.data_dir / "store" / "uploads").glob("*.png"))) == 1


def test_without_the_setting_there_is_no_field_for_an_address(page: Page) -> None:
    expect(page.locator("#photo-url")).to_have_count(0)


def changed(file: Path, page: Page) -> NDArray[np.bool_]:
    """(height, width): where the result is another picture than the photo."""
    with page.expect_download() as downloading:
        page.locator("#download").click()
    result = pixels(Path(downloading.value.path())).astype(int)
    where: NDArray[np.bool_] = np.abs(result - pixels(file)).max(axis=2) > 0
    return where


def assert_changed_in_the_middle(file: Path, page: Page) -> None:
    """The result is another picture in the middle of the photo, and the photo at its edges."""
    where = changed(file, page)
    height, width = where.shape
    assert where[height // 2, width // 2]
    assert where[:, : width // 3].sum() == where[: height // 4].sum() == 0
