import asyncio
import socket

import httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from app.main import create_app
from app.middleware import BodyLimit
from app.settings import Settings
from tests.app.conftest import picture, serving, stored


def test_every_answer_has_a_strict_policy_and_an_id(client: httpx.Client) -> None:
    answer = client.get("/livez")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.headers["x-request-id"]) == 32
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(("given", "is_kept"), [("trace-1.a_b", True), ("a b", False), ("", False)])
def test_a_plain_request_id_is_kept_and_any_other_replaced(
    client: httpx.Client, given: str, is_kept: bool
) -> None:
    answer = client.get("/livez", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is is_kept


def test_a_declared_length_over_the_limit_is_refused_before_the_body(
    client: httpx.Client, web_settings: Settings
) -> None:
    address = (client.base_url.host, client.base_url.port)
    length = web_settings.max_upload_bytes + 2**21
    head = (
        "POST /images HTTP/1.1\r\nHost: here\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(head.encode())  # and not one byte of the body
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


async def _read_all(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["more_body"]:
        pass


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"10")]], ids=["none", "a lie"])
def test_an_endless_body_is_refused_at_the_byte_that_exceeds_the_limit(
    headers: list[tuple[bytes, bytes]],
) -> None:
    chunks = 0

    async def endless() -> Message:
        nonlocal chunks
        chunks += 1
        return {"type": "http.request", "body": bytes(10), "more_body": True}

    async def send(_message: Message) -> None:
        raise AssertionError("nothing may be answered here")

    limited = BodyLimit(_read_all, max_bytes=95)
    with pytest.raises(HTTPException) as refused:
        asyncio.run(limited({"type": "http", "headers": headers}, endless, send))
    assert refused.value.status_code == 413
    assert chunks == 10


def test_an_upload_over_the_limit_is_a_problem_and_is_not_kept(web_settings: Settings) -> None:
    small = web_settings.model_copy(update={"max_upload_bytes": 1000})
    upload = {"image": ("a.jpg", picture(640, 480))}
    with serving(create_app(small)) as address:
        answer = httpx.post(f"{address}/images", files=upload)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert "at most 1,000" in answer.json()["detail"]
    assert stored(small) == []
