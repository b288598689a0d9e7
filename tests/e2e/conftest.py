"""A real browser on real servers. What a page logs, and what its policy forbids, fails the test."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from app.keys import KeyFile, Scope
from tests.tiny import write_tiny_model
from worker.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / ".screenshots"
_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",  # a camera for everyone, that shows a clock
]
LIBRARY = ("dahlia.jpg", "jacket.jpg", "lark.jpg")
_START_S = 120
_TIMEOUT_MS = 30_000
_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI}`));
"""


@dataclass
class Server:
    """A running Wordbrush."""

    url: str
    data_dir: Path


@dataclass
class Noise:
    """What pages said that they should not have."""

    heard: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)  # parts of messages that a test provokes

    def unexpected(self) -> list[str]:
        return [text for text in self.heard if not any(part in text for part in self.expected)]


OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """All of `wordbrush up`, ready, with the shipped checkpoints; tiny ones draw and search, in a
    library of a few pictures.
    """
    folder = tmp_path_factory.mktemp("up")
    (library := folder / "pictures").mkdir()
    for name in LIBRARY:
        shutil.copy(ROOT / "static" / "samples" / name, library)
    write_tiny_model(folder / "checkpoints", "attngan", contrast=4)
    write_tiny_model(folder / "checkpoints", "tirg", contrast=4)
    environment = {"WORDBRUSH_LIBRARY": str(library)}
    with _running(["up", "--data-dir", str(folder)], environment) as url:
        _await(f"{url}/readyz")
        if not httpx.get(f"{url}/models").json()["models"]:
            pytest.fail("no checkpoint is in checkpoints/: the page cannot be tested without one")
        yield Server(url, folder)


@pytest.fixture
def workerless(settings: Settings, tiny_model: str) -> Iterator[Server]:
    """A web server with a queue, and no worker that would take from it."""
    with _running(["web"], settings.to_environment()) as url:
        _await(f"{url}/livez")
        yield Server(url, settings.data_dir)


@pytest.fixture
def fetching(settings: Settings, tiny_model: str) -> Iterator[Server]:
    """A web server that fetches pictures from addresses, of this machine too, and no worker."""
    on = {"WORDBRUSH_IMAGE_URLS": "true", "WORDBRUSH_OUTBOUND_HOSTS": "127.0.0.1"}
    with _running(["web"], settings.to_environment() | on) as url:
        _await(f"{url}/livez")
        yield Server(url, settings.data_dir)


@pytest.fixture
def key(settings: Settings) -> str:
    """An API key of the server `guarded`."""
    path = settings.data_dir / "keys.json"
    return KeyFile(path).create("a person", [Scope.EDIT, Scope.READ])


@pytest.fixture
def guarded(settings: Settings, tiny_model: str, key: str) -> Iterator[Server]:
    """A web server that asks for keys, and no worker."""
    with _running(["web", "--access", "keys"], settings.to_environment()) as url:
        _await(f"{url}/livez")
        yield Server(url, settings.data_dir)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=_TIMEOUT_MS)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Chromium; where there is none, tests are skipped, or in CI fail."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    own = Path(playwright.chromium.executable_path)
    if not found and not own.exists():
        reason = f"no browser: none of {', '.join(names)} is installed (apt install chromium)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    browser = playwright.chromium.launch(executable_path=found or own, args=_FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def noise() -> Iterator[Noise]:
    noise = Noise()
    yield noise
    assert noise.unexpected() == []


@pytest.fixture
def open_page(chromium: Browser, noise: Noise) -> Iterator[OpenPage]:
    """Opens an address in a context of its own and waits for what matches `ready`; further keywords
    are those of `new_context`.
    """
    contexts = []

    def open_page(
        url: str,
        *,
        width: int = 1280,
        height: int = 800,
        ready: str = "html[data-ready]",
        **options: object,
    ) -> Page:
        size = {"width": width, "height": height}
        context = chromium.new_context(viewport=size, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(_TIMEOUT_MS)
        context.add_init_script(_REPORT_VIOLATIONS)
        page = context.new_page()
        page.on("console", lambda said: _hear(noise, said.type, said.text))
        page.on("pageerror", lambda error: noise.heard.append(f"error: {error}"))
        page.goto(url)
        page.wait_for_selector(ready)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(server: Server, open_page: OpenPage) -> Page:
    """The page of the running service, 1280 by 800."""
    return open_page(server.url)


def _hear(noise: Noise, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        noise.heard.append(f"{kind}: {text}")


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """A `wordbrush` command until the end of the block; its address."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *command, "--port", str(port)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(url: str) -> None:
    deadline = monotonic() + _START_S
    while monotonic() < deadline:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        sleep(0.2)
    pytest.fail(f"{url} did not answer 200 within {_START_S} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
