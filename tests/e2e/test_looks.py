"""Every state of the page at four sizes, by day and by night: it fits, and axe finds nothing."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.browsing import choose, edit, photo, violations, write
from tests.e2e.conftest import SHOTS, OpenPage, Server

SIZES: dict[str, dict[str, Any]] = {
    "phone": {"width": 360, "height": 740, "has_touch": True},
    "tablet": {"width": 768, "height": 1024, "has_touch": True},
    "laptop": {"width": 1440, "height": 900},
    "desktop": {"width": 1920, "height": 1080},
}


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        ("phone", "light"),
        ("phone", "dark"),
        ("tablet", "dark"),
        ("laptop", "light"),
        ("laptop", "dark"),
        ("desktop", "light"),
    ],
)
def test_every_state_fits_and_is_accessible(
    server: Server, open_page: OpenPage, tmp_path: Path, size: str, scheme: str
) -> None:
    page = open_page(server.url, **SIZES[size], color_scheme=scheme)
    name = f"{size}-{scheme}"
    look(page, f"{name}-1-welcome")

    choose(page, photo(tmp_path, name="flower.jpg", scale=1.5))
    look(page, f"{name}-2-area")

    page.locator("#go").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, f"{name}-3-problem")

    write(page, "this flowerzz has purple petals")
    expect(page.locator("#word-help button").first).to_be_visible()
    look(page, f"{name}-4-unknown-word")

    edit(page, "this flower has purple petals")
    page.locator("#favourite").click()
    look(page, f"{name}-5-done")

    page.locator("#help-open").click()
    expect(page.locator("#help")).to_be_visible()
    look(page, f"{name}-6-help")


def test_no_width_scrolls_sideways(server: Server, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(server.url)
    for _ in ("welcome", "editor"):
        for width in [320, 360, 480, 640, 900, 959, 960, 1100, 2560, 3840]:
            page.set_viewport_size({"width": width, "height": 900})
            for direction in ("rtl", "ltr"):  # of text; the page turns with it
                page.evaluate("(way) => { document.documentElement.dir = way; }", direction)
                assert fits(page), f"{width} px, {direction}"
        choose(page, photo(tmp_path, name="flower.jpg"))


@pytest.mark.parametrize("shape", [(30, 400), (400, 30), (33, 33)])
def test_a_photo_of_any_shape_is_shown_whole(
    server: Server, open_page: OpenPage, tmp_path: Path, shape: tuple[int, int]
) -> None:
    Image.new("RGB", shape, "tomato").save(tmp_path / "strip.png")
    page = open_page(server.url)
    choose(page, tmp_path / "strip.png")
    frame = page.locator("#frame").bounding_box()
    mat = page.locator(".mat").bounding_box()
    assert frame
    assert mat
    assert frame["width"] / frame["height"] == pytest.approx(shape[0] / shape[1], rel=0.05)
    assert frame["x"] >= mat["x"] - 1
    assert frame["y"] >= mat["y"] - 1
    assert frame["y"] + frame["height"] <= mat["y"] + mat["height"] + 1


def look(page: Page, name: str) -> None:
    """Keep a picture of the page, and refuse one that scrolls sideways or that axe refuses."""
    SHOTS.mkdir(exist_ok=True)
    problems = violations(page)
    page.screenshot(path=SHOTS / f"{name}.png")
    assert problems == []
    assert fits(page)


def fits(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return wide
