"""With API keys in force, a person enters one in the page and then works as without."""

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import violations
from tests.e2e.conftest import Noise, OpenPage, Server


def test_a_key_is_entered_once_and_the_page_works_until_signing_out(
    guarded: Server, key: str, open_page: OpenPage, noise: Noise
) -> None:
    noise.expected += ["401", "503"]  # the wrong key; and no worker is there, which the page asks
    page = open_page(guarded.url, ready="form")
    expect(page).to_have_url(f"{guarded.url}/sign-in")
    page.get_by_label("API key").fill("wb_00000000_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("no key that is in force")
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{guarded.url}/")
    page.wait_for_selector("html[data-ready]")
    status = page.evaluate("fetch('/images', {method: 'POST'}).then((answer) => answer.status)")
    assert status == 422  # let in, and looked at
    noise.expected.append("422")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{guarded.url}/sign-in")
    page.goto(guarded.url)
    expect(page).to_have_url(f"{guarded.url}/sign-in")


@pytest.mark.parametrize("name", ["gallery", "models", "queue"])
def test_a_person_signs_out_from_the_pages_about_the_service(
    guarded: Server, key: str, open_page: OpenPage, noise: Noise, name: str
) -> None:
    noise.expected.append("503")
    page = open_page(guarded.url, ready="form", width=360)
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-ready]")
    page.goto(f"{guarded.url}/about/{name}")
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert violations(page) == []
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{guarded.url}/sign-in")
    page.goto(f"{guarded.url}/about/{name}")
    expect(page).to_have_url(f"{guarded.url}/sign-in")
