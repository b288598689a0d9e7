"""A browser's way in: the key goes into a form once, and a cookie stands for it from then on."""

from collections.abc import Iterator

import httpx
import pytest

from app.keys import KeyFile, Scope
from app.main import create_app
from app.sessions import COOKIE
from app.settings import Settings
from tests.app.conftest import serving


@pytest.fixture
def keyed(web_settings: Settings) -> Settings:
    return web_settings.model_copy(update={"access": "keys"})


@pytest.fixture
def key(keyed: Settings) -> str:
    return KeyFile(keyed.keys_file).create("a person", [Scope.EDIT, Scope.READ])


@pytest.fixture
def browser(keyed: Settings, key: str) -> Iterator[httpx.Client]:
    """Keeps cookies and says where its requests come from, as browsers do."""
    with serving(create_app(keyed)) as address:
        headers = {"Origin": address, "Accept": "text/html,*/*;q=0.8"}
        with httpx.Client(base_url=address, headers=headers, follow_redirects=True) as client:
            yield client


def asked(browser: httpx.Client) -> int:
    """The status that the page's scripts get, which ask for no page."""
    return browser.get("/models", headers={"Accept": "*/*"}).status_code


def test_the_page_asks_for_a_key_once_and_then_works(browser: httpx.Client, key: str) -> None:
    asked = browser.get("/")
    assert asked.url.path == "/sign-in"
    assert 'type="password"' in asked.text
    entered = browser.post("/session", data={"key": f" {key}\n"})
    assert entered.url.path == "/"
    assert 'id="catalogue"' in entered.text
    assert "Sign out" in entered.text
    assert browser.get("/models").status_code == 200
    wish = {"caption": "a flower", "image_id": "uploads-" + "0" * 32}
    assert browser.post("/manipulate", data=wish).status_code == 422  # let in, and looked at


def test_the_cookie_is_no_key_and_no_script_can_read_it(browser: httpx.Client, key: str) -> None:
    answer = browser.post("/session", data={"key": key}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert key not in cookie


def test_a_wrong_key_is_told_in_the_form_and_opens_nothing(browser: httpx.Client) -> None:
    answer = browser.post("/session", data={"key": "wb_00000000_" + "a" * 43})
    assert answer.status_code == 401
    assert "no key that is in force" in answer.text
    assert not browser.cookies
    assert asked(browser) == 401


def test_a_page_elsewhere_can_use_neither_the_session_nor_the_form(
    browser: httpx.Client, key: str
) -> None:
    browser.post("/session", data={"key": key})
    for origin in ("http://evil.example", "null", "http://[", ""):
        answer = browser.post("/manipulate", headers={"Origin": origin})
        assert answer.status_code == 403
        entered = browser.post("/session", data={"key": key}, headers={"Origin": origin})
        assert entered.status_code == 403


def test_signing_out_ends_the_session_on_the_server(browser: httpx.Client, key: str) -> None:
    browser.post("/session", data={"key": key})
    kept = browser.cookies[COOKIE]
    assert browser.post("/session/end").url.path == "/sign-in"
    browser.cookies.set(COOKIE, kept)
    assert asked(browser) == 401


def test_revoking_a_key_ends_its_sessions(browser: httpx.Client, key: str, keyed: Settings) -> None:
    browser.post("/session", data={"key": key})
    KeyFile(keyed.keys_file).revoke(key.split("_")[1])
    assert asked(browser) == 401
