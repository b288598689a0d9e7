"""Who may ask: with API keys in force, what is not public takes one, within its scopes and rate.

Keys are in force wherever others can reach the service. A program sends its key as
`Authorization: Bearer wb_...`; a browser has a session's cookie instead (app/sessions.py). Each
request is looked at before its body is read.
"""

import logging
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import urlsplit

import redis
from anyio import to_thread
from fastapi import Request, Security
from fastapi.params import Depends
from fastapi.security import HTTPBearer
from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from app.errors import (
    KEYS_UNREADABLE,
    Forbidden,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    to_response,
)
from app.keys import BadKeyFile, Key, KeyFile, Scope
from app.sessions import COOKIE, Sessions
from app.settings import Settings
from app.templates import asks_for_a_page
from app.throttle import Throttle
from models.registry import Task
from worker.connection import QueueDown

SIGN_IN = "/sign-in"

_log = logging.getLogger(__name__)

_PUBLIC = (
    *("/docs", "/openapi.json", "/livez", "/readyz"),
    *(SIGN_IN, "/session", "/session/end", "/language"),
)
_PUBLIC_FOLDER = "/static/"
_HARMLESS = {"GET", "HEAD", "OPTIONS"}
_SCOPES_OF: Mapping[Task, tuple[Scope, ...]] = MappingProxyType(
    {
        Task.MANIPULATE: (Scope.EDIT,),
        Task.GENERATE: (Scope.GENERATE,),
        Task.SEARCH: (Scope.EDIT, Scope.GENERATE),
        Task.MASK: (Scope.EDIT,),
    }
)
_BEARER = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key of `wordbrush keys create`."
)


class NoKeys(RuntimeError):
    """The service would be open to everybody, and nobody said that it should be."""


def takes_keys(settings: Settings) -> bool:
    """Whether keys are in force: by the setting, else wherever others can reach the service.

    Raises:
        NoKeys: they would be, and there are none, or none that can be read.
    """
    if settings.access == "open" or (settings.access == "auto" and _is_loopback(settings.host)):
        return False
    try:
        has_keys = any(KeyFile(settings.keys_file))
    except BadKeyFile as error:
        raise NoKeys(str(error)) from error
    if not has_keys:
        raise NoKeys(
            f"{settings.host} can be reached by others, and there are no API keys in "
            f"{settings.keys_file}; make one with `wordbrush keys create NAME`, or, where "
            "something in front of Wordbrush asks who is there, say `--access open`"
            if settings.access == "auto"
            else f"access is by API key, and there are none in {settings.keys_file}; make one "
            "with `wordbrush keys create NAME`"
        )
    return True


def offers_imports(settings: Settings) -> bool:
    """Whether weights may be brought in over HTTP: by an admin's key, or, where no keys are in
    force, from this machine alone; unless a setting turns it off.

    Raises:
        NoKeys: as `takes_keys`.
    """
    return settings.imports and (takes_keys(settings) or _is_loopback(settings.host))


def needing(*scopes: Scope) -> Depends:
    """What lets a route answer only to keys that are good for any of `scopes`; to read is never
    enough to change something.
    """

    async def check(request: Request, _key: Annotated[Any, Security(_BEARER)]) -> None:
        key: Key = request.state.key
        harmless = request.method in _HARMLESS
        wanted = [scope for scope in scopes if harmless or scope is not Scope.READ]
        if not key.may(*wanted):
            challenge = f'Bearer error="insufficient_scope", scope="{" ".join(wanted)}"'
            raise Forbidden(
                f"the key is not good for this, wanted one with scope {' or '.join(wanted)}",
                {"WWW-Authenticate": challenge},
            )

    return Security(check, scopes=list(scopes))


def check_tasks(request: Request, tasks: Iterable[Task]) -> None:
    """Refuse what the key of a request, where one is needed, is not good for on its own: some
    routes answer to several scopes, and what is asked of them decides.

    Raises:
        Forbidden: it is not good for one of `tasks`.
    """
    key: Key | None = getattr(request.state, "key", None)
    if key and not all(key.may(*_SCOPES_OF[task]) for task in tasks):
        wanted = " and ".join(sorted({" or ".join(_SCOPES_OF[task]) for task in tasks}))
        raise Forbidden(f"the key is not good for this, wanted one with scope {wanted}")


class Guests:
    """Knows the keys, the sessions and what each key has asked for."""

    def __init__(self, keys: KeyFile, connection: redis.Redis) -> None:
        self.keys = keys
        self.sessions = Sessions(connection)
        self.throttle = Throttle(connection)

    def key_of(self, request: Request) -> Key | None:
        """The key that the request shows, or that its session stands for.

        Raises:
            Forbidden: another site's page made the browser send this.
            QueueDown: sessions can't be looked up.
        """
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self.keys.find(text.strip())
        if not (token := request.cookies.get(COOKIE)):
            return None
        if request.method not in _HARMLESS and not is_from_own_page(request):
            raise Forbidden("the request comes from a page of another site")
        key_id = self.sessions.key_id(token)
        return self.keys.get(key_id) if key_id else None


class Admission:
    """Lets a request in whose key is known and within its rate; what is public, without one."""

    def __init__(self, app: ASGIApp, guests: Guests) -> None:
        self.app = app
        self._guests = guests

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_public(scope["path"]):
            await self.app(scope, receive, send)
            return
        headers: dict[str, str] = {}
        refusal = await to_thread.run_sync(self._refusal, Request(scope), headers)

        async def send_with_rate(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await (refusal or self.app)(scope, receive, send_with_rate)

    def _refusal(self, request: Request, headers: dict[str, str]) -> Response | None:
        """None where the request may go on, with its key; `headers` are for the answer."""
        try:
            key = self._guests.key_of(request)
            if key is None:
                return _unknown(request)
            allowance = self._guests.throttle.ask(key.id, key.rate)
        except Forbidden as problem:
            return to_response(problem, request)
        except BadKeyFile as error:
            _log.error("nobody is let in: %s", error)
            return to_response(Unavailable(KEYS_UNREADABLE), request)
        except QueueDown:
            wanted = "the queue cannot be reached: nothing was taken on"
            return to_response(Unavailable(wanted), request)
        headers.update(allowance.headers)
        if not allowance.is_granted:
            wanted = f"the key is good for {key.limit}, wanted fewer requests"
            retry = {"Retry-After": str(allowance.reset_s)}
            return to_response(TooManyRequests(wanted, retry), request)
        request.state.key = key
        return None


def is_from_own_page(request: Request) -> bool:
    """Whether a page of this very service sent it: browsers say so with each unsafe request."""
    try:
        origin = urlsplit(request.headers.get("origin", ""))
    except ValueError:  # no page has an origin such as http://[
        return False
    return origin.netloc == request.headers.get("host")


def _unknown(request: Request) -> Response:
    if asks_for_a_page(request):
        return RedirectResponse(SIGN_IN, status_code=303)  # a browser goes to a page
    wanted = "wanted a key that is in force, as Authorization: Bearer wb_..."
    return to_response(Unauthorized(wanted), request)


def _is_public(path: str) -> bool:
    return path in _PUBLIC or path.startswith(_PUBLIC_FOLDER)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
