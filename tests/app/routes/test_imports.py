"""Imports over HTTP; the worker is played by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from app.keys import KeyFile, Scope
from app.main import create_app
from app.settings import Settings
from tests.app.conftest import serving, stored
from worker.imports import Imports
from worker.messages import Failure
from worker.queue import JobQueue
from worker.store import Store

_GIVEN = {"netG.pth": b"weights", "captions.pickle": b"words"}
_SAID = {"system": "attngan", "domain": "birds"}


def ask(client: httpx.Client, files: dict[str, bytes] = _GIVEN, **said: Any) -> httpx.Response:
    headers = said.pop("headers", None)
    listed = [("files", (name, content)) for name, content in files.items()]
    return client.post("/imports", data=_SAID | said, files=listed, headers=headers)


@pytest.fixture
def imports(web_settings: Settings) -> Imports:
    return Imports.from_settings(web_settings)


def test_what_was_given_reaches_the_worker(
    client: httpx.Client, imports: Imports, store: Store, queue: JobQueue
) -> None:
    answer = ask(client, example=["a yellow bird", "a red bird"])
    assert answer.status_code == 202
    made = answer.json()
    assert answer.headers["location"] == made["links"]["self"] == f"/imports/{made['id']}"
    assert (made["status"], made["progress"], made["model"]) == ("queued", 0, None)
    order = imports.read(made["id"]).order
    assert (order.system, order.domain) == ("attngan", "birds")
    assert order.examples == ("a yellow bird", "a red bird")
    assert {file.name: store.get(file.file_id) for file in order.files} == _GIVEN
    assert queue.depths() == {"interactive": 0, "batch": 1}


def test_an_import_says_how_it_goes_and_how_it_ended(
    client: httpx.Client, imports: Imports
) -> None:
    good, bad = ask(client).json(), ask(client).json()
    imports.advance(good["id"], 0.5)
    running = client.get(good["links"]["self"]).json()
    assert (running["status"], running["progress"]) == ("processing", 0.5)
    imports.finish(good["id"], "attngan-birds-256")
    imports.finish(bad["id"], Failure("The weights can't be imported", "missing: fc.weight"))
    done, failed = (client.get(one["links"]["self"]).json() for one in (good, bad))
    assert (done["status"], done["model"]) == ("succeeded", "attngan-birds-256")
    assert (failed["status"], failed["error"]["detail"]) == ("failed", "missing: fc.weight")
    assert client.get("/imports/nothing").status_code == 404


def test_an_import_whose_workers_died_is_told_so(client: httpx.Client, queue: JobQueue) -> None:
    made = ask(client).json()
    queue.connection.hset(f"rq:job:{made['id']}", "status", "failed")
    assert "died" in client.get(made["links"]["self"]).json()["error"]["detail"]


@pytest.mark.parametrize(
    ("files", "said", "field"),
    [
        ({"a.exe": b""}, {}, "files"),
        ({}, {}, "files"),
        ({f"{n}.pth": b"" for n in range(4)}, {}, None),
        ({"a/netG.pth": b"", "b/netG.pth": b""}, {}, "files"),
        (_GIVEN, {"domain": "../birds"}, "domain"),
        (_GIVEN, {"system": "diffusion"}, "system"),
    ],
)
def test_what_cannot_be_imported_is_refused_and_not_kept(
    client: httpx.Client,
    queue: JobQueue,
    web_settings: Settings,
    files: dict[str, bytes],
    said: dict[str, str],
    field: str | None,
) -> None:
    answer = ask(client, files, **said)
    assert answer.status_code == (422 if field else 400)
    assert [error["field"] for error in answer.json().get("errors", ())] == [field] * bool(field)
    assert stored(web_settings) == []
    assert queue.depth() == 0


def test_a_name_leads_out_of_no_folder(client: httpx.Client, imports: Imports) -> None:
    made = ask(client, {"..\\..\\G of 2018?.pth": b"", "/etc/d.vec": b""}).json()
    names = [file.name for file in imports.read(made["id"]).order.files]
    assert names == ["G-of-2018-.pth", "d.vec"]


def test_another_sites_page_cannot_send_one(client: httpx.Client, queue: JobQueue) -> None:
    for origin in ("http://elsewhere.example", "null", "http://[", ""):
        assert ask(client, headers={"Origin": origin}).status_code == 403
    assert ask(client, headers={"Origin": str(client.base_url)}).status_code == 202
    assert queue.depth() == 1


def test_more_than_the_limit_is_refused(web_settings: Settings) -> None:
    with served(web_settings, max_import_bytes=2000) as client:
        assert ask(client, {"netG.pth": bytes(3000)}).status_code == 413


@pytest.mark.parametrize(
    "changes",
    [{"imports": False}, {"host": "0.0.0.0", "access": "open"}],
    ids=["turned off", "open to everybody"],
)
def test_where_nobody_may_it_says_so_and_keeps_nothing(
    web_settings: Settings, changes: dict[str, object]
) -> None:
    with served(web_settings, **changes) as client:
        answer = ask(client)
        assert (answer.status_code, answer.json()["type"]) == (403, "/docs#problem-not-offered")
        assert "import-form" not in client.get("/about/models").text
    assert stored(web_settings) == []


def test_with_keys_an_admins_is_needed(web_settings: Settings) -> None:
    keys = KeyFile(web_settings.keys_file)
    edits, admin = (keys.create("a test", [scope]) for scope in (Scope.EDIT, Scope.ADMIN))
    with served(web_settings, access="keys") as client:
        for key, status in ((edits, 403), (admin, 202)):
            headers = {"Authorization": f"Bearer {key}"}
            assert ask(client, headers=headers).status_code == status
            page = client.get("/about/models", headers=headers).text
            assert ("import-form" in page) == (key == admin)


@contextmanager
def served(settings: Settings, **changes: object) -> Iterator[httpx.Client]:
    """A web process with other settings."""
    app = create_app(settings.model_copy(update=changes))
    with serving(app) as address, httpx.Client(base_url=address, timeout=20) as client:
        yield client
