"""One log line for each request: what was asked by which route, how it went, how long it took."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger("app.requests")

_NOT_LOGGED = ("/static/", "/livez", "/readyz", "/metrics")  # asked all the time, by machines


class RequestLog:
    """Logs each request with its id, which every line on the way to its answer has, too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_NOT_LOGGED):
            await self.app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=scope["state"]["request_id"])
        started, status = perf_counter(), 500

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_look)
        finally:
            log = _log.error if status >= 500 else _log.info
            log(
                "request",
                method=scope["method"],
                route=_route(scope),
                status=status,
                seconds=round(perf_counter() - started, 4),
                **_whose(scope),
            )


def _route(scope: Scope) -> str:
    """The route's pattern: an address itself may have anything in it, a caption too."""
    return getattr(scope.get("route"), "path", "none")


def _whose(scope: Scope) -> Mapping[str, Any]:
    """The id of the key that the request came with, where keys are in force."""
    key = scope["state"].get("key")
    return {"key_id": key.id} if key else {}
