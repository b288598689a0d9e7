"""What the browser tests do again and again, in a person's terms."""

import re
from base64 import b64encode
from io import BytesIO
from pathlib import Path

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, Request, expect

from tests.e2e.conftest import ROOT

SAMPLE = ROOT / "static" / "samples" / "dahlia.jpg"
CAPTION = "this flower has yellow petals"
_DROP = """
([name, type, data, kind]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const options = { bubbles: true, cancelable: true };
  if (kind === "paste") {
    document.body.dispatchEvent(new ClipboardEvent(kind, { ...options, clipboardData: transfer }));
    return;
  }
  for (const step of ["dragenter", "dragover", kind]) {
    document.body.dispatchEvent(new DragEvent(step, { ...options, dataTransfer: transfer }));
  }
}
"""
_STILL = """
() => Promise.allSettled(
  document.getAnimations()
    .filter((one) => one.effect.getTiming().iterations !== Infinity)
    .map((one) => one.finished))
"""


def photo(folder: Path, *, name: str = "flower.png", scale: float = 1.0) -> Path:
    """A sample as a file of one's own; as PNG it can be compared to the bit."""
    with Image.open(SAMPLE) as sample:
        size = (round(sample.width * scale), round(sample.height * scale))
        sample.convert("RGB").resize(size).save(folder / name)
    return folder / name


def give(page: Page, file: Path, kind: str = "drop") -> None:
    """Drop a file on the page, or paste it; the events are those of a browser."""
    data = b64encode(file.read_bytes()).decode()
    media_type = f"image/{file.suffix[1:].replace('jpg', 'jpeg')}"
    page.evaluate(_DROP, [file.name, media_type, data, kind])


def choose(page: Page, file: Path) -> None:
    """Choose a file, and see it."""
    page.locator("#file").set_input_files(file)
    expect(page.locator("#before canvas")).to_be_visible()


def write(page: Page, caption: str) -> None:
    """Replace the caption as a person does: by typing."""
    page.locator("#caption").fill("")
    page.locator("#caption").press_sequentially(caption)


def edit(page: Page, caption: str = CAPTION) -> None:
    """Type a caption, press Enter, and see the result at full resolution."""
    write(page, caption)
    page.keyboard.press("Enter")
    await_result(page, caption)


def await_result(page: Page, caption: str = CAPTION) -> None:
    expect(after(page)).to_have_attribute("alt", f"After: {caption}")
    expect(page.locator("#progress")).to_contain_text("Done in")
    expect(page.locator("#download")).to_have_attribute("href", re.compile("^/jobs/"))


def after(page: Page) -> Locator:
    return page.locator("#after img")


def field(request: Request, name: str) -> str:
    """A field of the multipart form that a request sent."""
    found = re.search(rf'name="{name}"\r\n\r\n(.*?)\r\n', request.post_data or "")
    assert found, f"the request has no field {name}"
    return found[1]


def edits(page: Page) -> list[Request]:
    """The requests for edits from here on; the list grows."""
    seen: list[Request] = []
    page.on("request", lambda r: seen.append(r) if r.url.endswith("/manipulate") else None)
    return seen


def expect_kept(page: Page, count: int) -> None:
    """So many results are in the browser's database."""
    page.wait_for_function(
        """(count) => new Promise((resolve) => {
          indexedDB.open("wordbrush").onsuccess = ({ target: { result: db } }) => {
            const store = db.transaction("results").objectStore("results");
            store.count().onsuccess = ({ target }) => {
              db.close();
              resolve(target.result === count);
            };
          };
        })""",
        arg=count,
    )


def pixels(data: bytes | Path) -> NDArray[np.uint8]:
    """(height, width, 3), RGB."""
    with Image.open(data if isinstance(data, Path) else BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands, once nothing moves any more."""
    page.evaluate(_STILL)
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['help']} {[n['target'] for n in v['nodes']]}" for v in found]
