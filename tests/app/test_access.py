"""A web process with API keys in force, over a real socket and a real Valkey."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import positive_data_acceptance

from app.access import NoKeys, takes_keys
from app.keys import KeyFile, Scope
from app.main import create_app
from app.settings import Settings
from tests.app.conftest import picture, serving, stored
from worker.queue import JobQueue, WorkerView

CAPTION = "this flower has yellow petals"
PUBLIC = {"/livez", "/readyz"}

MakeKey = Callable[..., str]


@pytest.fixture
def keyed(web_settings: Settings) -> Settings:
    return web_settings.model_copy(update={"access": "keys"})


@pytest.fixture
def make_key(keyed: Settings) -> MakeKey:
    def make(*scopes: Scope, limit: str = "600/minute") -> str:
        return KeyFile(keyed.keys_file).create("a test", scopes, limit)

    return make


@pytest.fixture
def guarded(keyed: Settings, make_key: MakeKey) -> Iterator[httpx.Client]:
    """Speaks to the guarded web process, as nobody."""
    make_key(Scope.ADMIN)
    with serving(create_app(keyed)) as address, httpx.Client(base_url=address) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def edit(client: httpx.Client, key: str) -> httpx.Response:
    files = {"image": ("a.jpg", picture())}
    return client.post("/manipulate", data={"caption": CAPTION}, files=files, headers=bearer(key))


def test_every_operation_but_health_refuses_who_shows_no_key(guarded: httpx.Client) -> None:
    document = guarded.get("/openapi.json").json()
    operations = [(m, path) for path, methods in document["paths"].items() for m in methods]
    assert len(operations) > 10
    for method, path in operations:
        answer = guarded.request(method, path)
        described = document["paths"][path][method]
        if path in PUBLIC:
            assert answer.status_code in (200, 503)
            assert "security" not in described
        else:
            assert answer.status_code == 401, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
            assert described["security"][0]["key"], path
            assert {"401", "403", "429"} <= described["responses"].keys()
    scheme = document["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


@pytest.mark.parametrize("header", ["Bearer wb_00000000_" + "a" * 43, "Bearer", "Basic eDp5", "é"])
def test_a_wrong_key_is_refused_and_nothing_is_kept(
    guarded: httpx.Client, keyed: Settings, header: str, queue: JobQueue
) -> None:
    files = {"image": ("a.jpg", picture())}
    headers = {b"Authorization": header.encode()}
    answer = guarded.post("/manipulate", data={"caption": CAPTION}, files=files, headers=headers)
    assert answer.status_code == 401
    assert stored(keyed) == []
    assert queue.depth() == 0


def test_a_key_does_what_its_scopes_say_and_no_more(
    guarded: httpx.Client, make_key: MakeKey, queue: JobQueue
) -> None:
    reader, editor = make_key(Scope.READ), make_key(Scope.EDIT)
    refused = edit(guarded, reader)
    assert refused.status_code == 403
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="edit"'
    assert queue.depth() == 0
    job = edit(guarded, editor)
    assert job.status_code == 202
    place = job.headers["location"]
    assert guarded.get(place, headers=bearer(reader)).status_code == 200
    assert guarded.post(f"{place}/cancel", headers=bearer(reader)).status_code == 403
    assert guarded.post(f"{place}/cancel", headers=bearer(editor)).json()["status"] == "canceled"
    generation = guarded.post("/generate", json={"caption": CAPTION}, headers=bearer(editor))
    assert generation.status_code == 403


def test_from_where_a_program_with_a_key_says_to_come_does_not_matter(
    guarded: httpx.Client, make_key: MakeKey
) -> None:
    for origin in ("http://elsewhere.example", "null", "http://[", ""):
        headers = bearer(make_key(Scope.EDIT)) | {"Origin": origin}
        files = {"image": ("a.png", picture(format="png"))}
        assert guarded.post("/images", files=files, headers=headers).status_code == 201


def test_a_revoked_key_is_refused_at_once(
    guarded: httpx.Client, keyed: Settings, make_key: MakeKey
) -> None:
    key = make_key(Scope.READ)
    assert guarded.get("/models", headers=bearer(key)).status_code == 200
    KeyFile(keyed.keys_file).revoke(key.split("_")[1])
    assert guarded.get("/models", headers=bearer(key)).status_code == 401


def test_while_another_file_is_copied_over_the_keys_nobody_is_let_in_and_told_to_come_again(
    guarded: httpx.Client, keyed: Settings, make_key: MakeKey, warm_worker: WorkerView
) -> None:
    key = make_key(Scope.READ)
    whole = keyed.keys_file.read_text()
    for half in (whole[:-20], '[{"id": 1}]', "3"):
        keyed.keys_file.write_text(half)
        answer = guarded.get("/models", headers=bearer(key))
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        own = {"Origin": str(guarded.base_url)}
        assert guarded.post("/session", data={"key": key}, headers=own).status_code == 503
        unready = "the file of API keys cannot be read: nobody with a key is let in"
        assert guarded.get("/readyz").json()["reasons"] == [unready]
    with pytest.raises(NoKeys, match="can't be read"):
        create_app(keyed)
    keyed.keys_file.write_text(whole)
    assert guarded.get("/models", headers=bearer(key)).status_code == 200
    assert guarded.get("/readyz").status_code == 200


def test_a_key_over_its_rate_waits_and_costs_no_other_key_anything(
    guarded: httpx.Client, keyed: Settings, make_key: MakeKey
) -> None:
    hasty, other = make_key(Scope.READ, limit="2/minute"), make_key(Scope.READ)
    first = guarded.get("/models", headers=bearer(hasty))
    assert first.headers["ratelimit-policy"] == '"key";q=2;w=60'
    assert first.headers["ratelimit"].startswith('"key";r=1;t=')
    with serving(create_app(keyed)) as second_process:  # which counts with the first
        httpx.get(f"{second_process}/models", headers=bearer(hasty))
    refused = guarded.get("/models", headers=bearer(hasty))
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"key";r=0;')
    assert guarded.get("/models", headers=bearer(other)).status_code == 200


def test_who_shows_no_key_is_refused_before_the_body(guarded: httpx.Client) -> None:
    head = "POST /images HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection((guarded.base_url.host, guarded.base_url.port), 10) as connection:
        connection.sendall(head.encode())  # and not one byte of the body
        assert connection.recv(4096).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize(
    ("host", "access", "takes"),
    [
        ("127.0.0.1", "auto", False),
        ("localhost", "auto", False),
        ("::1", "auto", False),
        ("127.0.0.1", "keys", True),
        ("0.0.0.0", "open", False),
        ("0.0.0.0", "auto", True),
        ("::", "auto", True),
        ("example.org", "auto", True),
    ],
)
def test_keys_are_in_force_where_others_can_reach_the_service(
    web_settings: Settings, host: str, access: str, takes: bool
) -> None:
    settings = web_settings.model_copy(update={"host": host, "access": access})
    if takes:
        with pytest.raises(NoKeys, match="wordbrush keys create"):
            create_app(settings)
    KeyFile(settings.keys_file).create("somebody", [Scope.EDIT])
    assert takes_keys(settings) is takes


def test_a_server_open_to_this_machine_alone_has_no_sign_of_keys(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert "securitySchemes" not in document["components"]
    assert client.get("/sign-in").status_code == 404
    assert "/session/end" not in client.get("/").text


def test_with_a_key_every_answer_is_as_described_and_without_one_refused(
    guarded: httpx.Client, make_key: MakeKey, queue: JobQueue, warm_worker: WorkerView
) -> None:
    key = make_key(Scope.ADMIN, limit="100000/minute")
    description = schemathesis.openapi.from_url(f"{guarded.base_url}/openapi.json")
    for operation in (found.ok() for found in description.get_all_operations()):
        queue.announce(warm_worker)  # it would be taken for dead after a few seconds

        @settings(
            max_examples=3,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answers_are_as_described(case: schemathesis.Case[Any]) -> None:
            # Made-up bytes are no picture: what fits the description may yet be refused.
            case.call_and_validate(headers=bearer(key), excluded_checks=[positive_data_acceptance])

        answers_are_as_described()
