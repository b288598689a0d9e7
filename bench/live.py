"""How many pictures a second a person sees in live mode, on a service that runs already.

    python bench/live.py --url http://127.0.0.1:8000 --keys-per-second 16 --seconds 20

A real Chromium opens the page, takes a sample, turns Live on and types captions at a steady pace,
as somebody would who tries many words. Each picture that comes into view counts; "behind" is the
time from a key to the picture of what stood there then. Blanks ask for nothing new, so that there
can't be more pictures than "edits". Uploads are counted too: a photo is to be sent once.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from statistics import median, quantiles
from time import monotonic, sleep
from typing import Annotated

import httpx
import typer
from playwright.sync_api import Page, expect, sync_playwright
from rich.console import Console
from rich.table import Table

BAR = 8.0  # pictures a second
_COLOURS = ("yellow", "red", "white", "purple", "pink", "orange")
_START_S = 2  # until all that is loaded once is there
_WATCH = """
() => {
  const caption = document.querySelector("#caption");
  const after = document.querySelector("#after");
  window.typed = [];
  window.shown = [];
  caption.addEventListener("input", () =>
    window.typed.push([performance.now() / 1000, caption.value.trim()]));
  new MutationObserver(() => {
    const picture = after.firstElementChild;
    const text = picture?.getAttribute("alt") ?? picture?.getAttribute("aria-label");
    if (text) requestAnimationFrame(() => window.shown.push([performance.now() / 1000, text]));
  }).observe(after, { childList: true });
}
"""

Moment = tuple[float, str]  # seconds, and a caption


@dataclass(frozen=True)
class Sight:
    """What a person typed and saw, in its order."""

    typed: Sequence[Moment]
    shown: Sequence[Moment]
    uploads: int

    @property
    def seconds(self) -> float:
        """From the first key to the last."""
        return self.typed[-1][0] - self.typed[0][0]

    @property
    def edits_per_s(self) -> float:
        """Captions that differ from the one before, which is what can be shown at most."""
        captions = [caption for _, caption in self.typed]
        changes = sum(a != b for a, b in pairwise(captions))
        return changes / self.seconds

    @property
    def pictures_per_s(self) -> float:
        """Pictures that came while keys did."""
        end = self.typed[-1][0]
        return sum(time <= end for time, _ in self.shown) / self.seconds

    @property
    def behind_s(self) -> list[float]:
        """From the key that made a caption to its picture, for each picture."""
        found = []
        for time, caption in self.shown:
            keys = [at for at, typed in self.typed if typed == caption and at <= time]
            if keys:
                found.append(time - keys[-1])
        return found


def watch(page: Page, sample: str, model: str, keys_per_s: float, seconds: float) -> Sight:
    """Type for so long on a sample in live mode, and see what comes."""
    uploads: list[str] = []
    page.on("request", lambda r: uploads.append(r.url) if r.url.endswith("/images") else None)
    page.get_by_role("button", name=sample).click()
    expect(page.locator("#before canvas")).to_be_visible()
    page.locator("#model").select_option(model)
    page.get_by_role("switch", name="Live").check()
    page.locator("#caption").fill("")
    _type(page, keys_per_s, _START_S)
    page.evaluate(_WATCH)
    _type(page, keys_per_s, seconds)
    sleep(1)
    typed, shown = page.evaluate("[window.typed, window.shown]")
    of_results = [(time, text.removeprefix("After: ")) for time, text in shown]
    return Sight([(time, text) for time, text in typed], of_results, len(uploads))


def _type(page: Page, keys_per_s: float, seconds: float) -> None:
    """Captions at a steady pace: a key that comes late makes no other one later."""
    started, keys = monotonic(), 0
    for colour in cycle(_COLOURS):
        page.locator("#caption").select_text()
        for letter in f"this flower has {colour} petals":
            page.keyboard.type(letter)
            keys += 1
            sleep(max(0.0, started + keys / keys_per_s - monotonic()))
            if monotonic() - started > seconds:
                return


def row(name: str, sight: Sight) -> list[str]:
    """Figures, and whether the bar is kept."""
    behind = sight.behind_s
    verdict = "kept" if sight.pictures_per_s >= BAR else "MISSED"
    return [
        name,
        f"{sight.edits_per_s:.1f}",
        f"{sight.pictures_per_s:.1f}",
        f"{1000 * median(behind):.0f}",
        f"{1000 * quantiles(behind, n=20)[-1]:.0f}",
        str(sight.uploads),
        f"{verdict} (>= {BAR:g})",
    ]


def main(
    url: Annotated[str, typer.Option(help="Where the service is.")] = "http://127.0.0.1:8000",
    sample: Annotated[str, typer.Option(help="A sample of the first screen.")] = "Yellow petals",
    model: Annotated[str, typer.Option(help="An id of GET /models.")] = "tagan-flowers-64",
    keys_per_second: Annotated[float, typer.Option(min=1, help="How fast somebody types.")] = 16,
    seconds: Annotated[float, typer.Option(min=2, help="How long somebody types.")] = 20,
) -> None:
    """Print pictures a second, and how far behind the typing they are, in milliseconds."""
    columns = ("keys/s", "edits/s", "pictures/s", "behind", "p95", "uploads", "bar")
    table = Table(*columns, title=f"{model}, live, {seconds:g} s; ms")
    httpx.get(f"{url}/readyz").raise_for_status()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.wait_for_selector("html[data-ready]")
        sight = watch(page, sample, model, keys_per_second, seconds)
        table.add_row(*row(f"{keys_per_second:g}", sight))
        browser.close()
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
