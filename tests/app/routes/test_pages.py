import re
from html.parser import HTMLParser

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import serving, write_checkpoint


class _Links(HTMLParser):
    """Every address that a page loads or leads to, and the text of its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes |= {name for name, _ in attrs}
        self.addresses |= {value for name, value in attrs if name in ("src", "href") and value}


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_needs_no_other_server_and_nothing_that_the_policy_forbids(
    client: httpx.Client, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    links = _Links(answer.text)
    assert [a for a in links.addresses if not a.startswith(("/", "#"))] == []
    assert "style" not in links.attributes
    assert [name for name in links.attributes if name.startswith("on")] == []
    assert not re.search(r"<script(?![^>]*(src=|application/json))", answer.text)


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_every_file_that_a_page_names_is_there(client: httpx.Client, path: str) -> None:
    files = [a for a in _Links(client.get(path).text).addresses if a.startswith("/static/")]
    assert files
    assert [name for name in files if client.get(name).status_code != 200] == []


def test_every_place_that_the_api_page_leads_to_is_on_it(client: httpx.Client) -> None:
    page = client.get("/docs").text
    places = [a[1:] for a in _Links(page).addresses if a.startswith("#")]
    assert places
    assert [place for place in places if f'id="{place}"' not in page] == []


def test_what_a_checkpoint_says_cannot_become_markup(web_settings: Settings) -> None:
    write_checkpoint(web_settings.checkpoints[0], domain="<script>alert(1)")
    with serving(create_app(web_settings)) as address:
        assert "<script>alert" not in httpx.get(address).text


def test_a_browser_asks_after_static_files_before_it_uses_its_copy(client: httpx.Client) -> None:
    answer = client.get("/static/css/api.css")
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get("/static/css/api.css", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_scripts_and_styles_are_sent_compressed(client: httpx.Client) -> None:
    with client.stream("GET", "/static/js/state.js") as answer:
        sent = sum(map(len, answer.iter_raw()))
        assert answer.headers["content-encoding"] == "gzip"
    assert sent < len(client.get("/static/js/state.js").content) / 2
