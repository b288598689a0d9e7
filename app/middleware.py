"""What holds for every request: an id, headers that keep a browser safe, a limit on the body."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",  # none at all would hide a form's own origin from us
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    }
)


def add_headers(headers: MutableHeaders, request_id: str) -> None:
    """Puts the security headers and the request's id on an answer."""
    headers.update(SECURITY_HEADERS)
    headers["X-Request-ID"] = request_id


class ResponseHeaders:
    """Gives each answer the security headers and `X-Request-ID`.

    A client's own id is kept where it is short and plain, so that one can be followed through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(MutableHeaders(scope=message), request_id)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """Refuses a body over `max_bytes`: by its declared length, else at the byte that exceeds it.

    FastAPI's own `max_body_size` does the same, but answers text/plain.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int, larger: Mapping[str, int] | None = None
    ) -> None:
        """`larger` are other limits of single addresses."""
        self.app = app
        self.max_bytes = max_bytes
        self.larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        declared_bytes = int(declared) if declared.isdecimal() else 0
        max_bytes = self.larger.get(scope.get("path", ""), self.max_bytes)
        seen = 0

        async def receive_up_to_limit() -> Message:
            nonlocal seen
            if declared_bytes > max_bytes:
                raise _refusal(max_bytes)
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > max_bytes:
                raise _refusal(max_bytes)
            return message

        await self.app(scope, receive_up_to_limit, send)


def _refusal(max_bytes: int) -> HTTPException:
    """What a route lets through unchanged while it reads its body."""
    return HTTPException(413, f"the body is over the limit of {max_bytes:,} bytes")
