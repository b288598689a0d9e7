"""Makes the pictures of the README by driving Chromium against a service that runs.

    wordbrush up &
    python docs/record.py http://127.0.0.1:8000

`images/editor.webp` is the page after one edit, `images/editing.webp` a person at work: words are
typed in live mode, colours are taken from the swatches, the divider is moved.
"""

import argparse
import shutil
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

_FOLDER = Path(__file__).resolve().parent / "images"
_SIZE = (1440, 900)
_FILM_SIZE = (960, 600)
_TYPED = "this flower has yellow petals"
_SWATCHES = ("purple", "white", "pink")
_STEP_MS = 110
_REST_MS = 1100


class _Film:
    """Screenshots, each with the time that it is shown."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []
        self._durations_ms: list[int] = []

    def take(self, duration_ms: int) -> None:
        shot = Image.open(BytesIO(self._page.screenshot()))
        self._frames.append(shot.convert("RGB").resize(_FILM_SIZE, Image.Resampling.LANCZOS))
        self._durations_ms.append(duration_ms)

    def save(self, path: Path) -> None:
        first, *rest = self._frames
        first.save(
            path, save_all=True, append_images=rest, duration=self._durations_ms, loop=0, quality=70
        )


def record(url: str, folder: Path) -> None:
    """Write both pictures into `folder`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(
            viewport={"width": _SIZE[0], "height": _SIZE[1]}, color_scheme="light"
        )
        page.goto(url)
        page.get_by_role("button", name="Dahlia").click()
        expect(page.locator("#before canvas")).to_be_visible()
        page.locator("#caption").fill("")
        page.get_by_role("switch", name="Live").check()
        _edit(page, _Film(page), folder)
        browser.close()


def _edit(page: Page, film: _Film, folder: Path) -> None:
    film.take(_REST_MS)
    page.locator("#caption").focus()
    for letter in _TYPED:
        page.keyboard.type(letter)
        film.take(_STEP_MS)
    _await(page, _TYPED)
    film.take(_REST_MS)
    Image.open(BytesIO(page.screenshot())).convert("RGB").save(folder / "editor.webp", quality=88)
    for colour in _SWATCHES:
        page.get_by_role("button", name=colour, exact=True).click()
        _await(page, _TYPED.replace("yellow", colour))
        film.take(_REST_MS)
    for place in (*range(500, 100, -50), *range(100, 500, 50)):
        page.locator("#split").evaluate(
            "(range, value) => { range.value = value; range.dispatchEvent(new Event('input')); }",
            place,
        )
        film.take(_STEP_MS)
    film.save(folder / "editing.webp")


def _await(page: Page, caption: str) -> None:
    """The picture at full resolution, which live mode makes when nothing changes for a while."""
    expect(page.locator("#after img")).to_have_attribute("alt", f"After: {caption}", timeout=60_000)
    expect(page.locator("#progress")).to_contain_text("Done in", timeout=60_000)
    page.mouse.move(5, 5)
    page.wait_for_timeout(300)  # until nothing fades any more


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the README's pictures.")
    parser.add_argument("url", help="where the service runs")
    parser.add_argument("--folder", type=Path, default=_FOLDER)
    arguments = parser.parse_args()
    record(arguments.url, arguments.folder)
