"""The page in Korean, as a person uses it who reads Korean and writes the models' English."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import CAPTION, after, choose, photo, write
from tests.e2e.conftest import Noise, OpenPage, Server
from tests.e2e.test_looks import SIZES, look

_DONE = "만에 완료"
_SAID = """
() => {
  const names = "kbd, code, pre, option, .sample-credit, .swatch, [lang=en], .help-version";
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest(names) || !element.checkVisibility()) continue;
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    found.push(...own.map((node) => node.textContent));
    found.push(...["aria-label", "title", "placeholder", "alt", "aria-roledescription"]
      .map((name) => element.getAttribute(name) ?? ""));
  }
  return found;
}
"""
_KNOWN = {"Wordbrush", "API", "JPEG", "PNG", "WebP", "TAGAN", "Shift", "Control", "Ctrl", "Del"}


def test_a_person_chooses_a_language_and_keeps_it(
    server: Server, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(server.url)
    choose(page, photo(tmp_path))
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_role("button", name="만들기", exact=True)).to_be_visible()
    expect(page.locator("#before canvas")).to_be_visible()  # the photo is still there
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.goto(f"{server.url}/about/models")
    expect(page.get_by_role("heading", name="모델")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page).to_have_url(f"{server.url}/about/models")
    expect(page.get_by_role("heading", name="Models")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), [("phone", "light"), ("laptop", "dark")])
def test_an_edit_in_korean_fits_and_is_accessible(
    server: Server, open_page: OpenPage, noise: Noise, tmp_path: Path, size: str, scheme: str
) -> None:
    noise.expected.append("422")
    page = open_page(server.url, **SIZES[size], color_scheme=scheme, locale="ko-KR")
    name = f"ko-{size}-{scheme}"
    look_korean(page, f"{name}-1-welcome")

    choose(page, photo(tmp_path, name="flower.jpg", scale=1.5))
    write(page, "노란 꽃잎")
    expect(page.locator("#word-help")).to_contain_text("모델이 모르는 단어예요")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("영어로 적어 주세요")
    look_korean(page, f"{name}-2-problem")

    write(page, CAPTION)
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_contain_text(_DONE)
    expect(after(page)).to_have_attribute("alt", f"결과: {CAPTION}")
    look_korean(page, f"{name}-3-done")

    page.locator("#help-open").click()
    expect(page.locator("#help")).to_be_visible()
    look_korean(page, f"{name}-4-help")


def look_korean(page: Page, name: str) -> None:
    """As `look`; and nothing is said in English but what is marked so, or a name."""
    look(page, name)
    said = " ".join(page.evaluate(_SAID)).replace(CAPTION, "").replace("flower.jpg", "")
    words = {word.strip(".,()“”:") for word in said.split() if word.isascii()}
    names = _KNOWN | set(CAPTION.split())
    assert {word for word in words if word.isalpha() and len(word) > 2} <= names
