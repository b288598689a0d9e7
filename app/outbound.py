"""Requests to addresses that clients name, without a way into the networks that this service is in.

A host's name is resolved once, every address that it has must be public, and the connection goes to
an address that was checked, so no second answer of a name server counts. TLS is checked against the
name all the same. Redirects are followed for reading only, each checked anew. No proxy of the
environment is used, since a proxy would resolve the name again.
"""

import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TypeVar
from urllib.parse import urlsplit

import anyio
import httpx

_T = TypeVar("_T")

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PORTS = range(1, 65536)
_MAX_REDIRECTS = 4
_CONNECT_S = 5.0  # to one address; then the host's next one is tried
# Besides what `ipaddress` knows to be private, reserved or for many.
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # Azure's own services, under a public address
            "192.0.0.0/24",  # protocol assignments
            "192.88.99.0/24",  # relays from IPv6 to IPv4
            "2001::/32",  # Teredo and
            "2002::/16",  # 6to4 carry an IPv4 address inside, which may be any
            "3fff::/20",  # documentation
            "fec0::/10",  # site-local, as it once was
        ),
    )
)

Resolve = Callable[[str, int], Sequence[str]]


class ForbiddenAddress(ValueError):
    """The address is not one that this service calls."""


class Unreachable(RuntimeError):
    """There was no answer, or none that can be used."""


class AnswerTooLarge(RuntimeError):
    """The answer has more bytes than were wanted."""


@dataclass(frozen=True)
class Answer:
    """What came back; of a POST no content."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def resolve(host: str, port: int) -> list[str]:
    """The numeric addresses of `host`, in the order in which to try them.

    Raises:
        OSError, UnicodeError: it has none, or is no name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Whether the numeric `address` is one host's on the internet, whatever stands for it."""
    found = ip_address(address)
    return (
        found.is_global
        and not found.is_multicast
        and not found.is_reserved  # IPv4 inside IPv6 too: mapped, compatible, NAT64
        and not any(found in network for network in _NOT_PUBLIC)
    )


class Outbound:
    """Reads from and posts to addresses of others; safe to share between threads.

    Every method has a time limit for all that it does, names and redirects included, and raises
    ForbiddenAddress, with nothing sent, or Unreachable. No message repeats the address.
    """

    def __init__(
        self,
        *,
        allowed: Collection[str] = (),
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Hosts that are `allowed` (names, or numeric addresses) may be at addresses that are not
        public. `tls` None: the public authorities.
        """
        self._allowed = frozenset(host.lower() for host in allowed)
        self._resolve = resolve
        self._tls = tls or httpx.create_ssl_context(trust_env=False)

    def check(self, url: str, *, timeout_s: float = 5.0) -> None:
        """Nothing, if `url` could be called now."""

        async def check() -> None:
            await self._addresses(_parsed(url))

        _within(timeout_s, check)

    def get(self, url: str, *, max_bytes: int, timeout_s: float) -> Answer:
        """What is at `url`, or where it leads.

        Raises:
            AnswerTooLarge: it is more than `max_bytes`.
        """

        async def get() -> Answer:
            target = _parsed(url)
            for _ in range(_MAX_REDIRECTS + 1):
                answer = await self._send("GET", target, max_bytes=max_bytes)
                location = answer.headers.get("location")
                if not (300 <= answer.status < 400 and location):
                    return answer
                target = _parsed(location, base=target)
            raise Unreachable("it leads from one address to the next without end")

        return _within(timeout_s, get)

    def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout_s: float
    ) -> Answer:
        """Send `content`; the answer's own content is not read."""

        async def post() -> Answer:
            return await self._send("POST", _parsed(url), content=content, headers=headers)

        return _within(timeout_s, post)

    async def _send(
        self,
        method: str,
        url: httpx.URL,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Answer:
        """To the first of the host's addresses that takes a connection."""
        timeout = httpx.Timeout(None, connect=_CONNECT_S)  # the rest is limited as a whole
        async with httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=timeout) as client:
            for address in await self._addresses(url):
                request = client.build_request(
                    method,
                    url.copy_with(host=address),
                    content=content,
                    headers={
                        "User-Agent": "Wordbrush",
                        "Accept-Encoding": "identity",  # packed, a little may be very much
                        **(headers or {}),
                        "Host": url.netloc.decode("ascii"),
                    },
                    extensions={"sni_hostname": url.raw_host.decode("ascii")},
                )
                try:
                    response = await client.send(request, stream=True)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    continue
                try:
                    return await _read(response, max_bytes)
                finally:
                    await response.aclose()
        raise Unreachable("no connection to the host, or its certificate is not good")

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        """Where `url` may be called.

        Raises:
            ForbiddenAddress: one of the host's addresses is not public.
        """
        host = url.raw_host.decode("ascii")
        port = url.port or _DEFAULT_PORTS[url.scheme]
        try:
            addresses = await anyio.to_thread.run_sync(
                self._resolve, host, port, abandon_on_cancel=True
            )
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses:
            raise Unreachable("the host has no address")
        if host.lower() not in self._allowed and not all(map(is_public, addresses)):
            raise ForbiddenAddress("the host is not at a public address")
        return addresses


def _parsed(url: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        urlsplit(url)  # by which others read it, and which is stricter in places
        parsed = base.join(url) if base else httpx.URL(url)
        host, port = parsed.host, parsed.port  # a host that begins with xn-- is decoded only here
    except (httpx.InvalidURL, ValueError):
        raise ForbiddenAddress("it is no address, wanted https://host/path") from None
    if parsed.scheme not in _DEFAULT_PORTS or not host:
        raise ForbiddenAddress("wanted an address that begins with https:// or http://, and a host")
    if port is not None and port not in _PORTS:
        raise ForbiddenAddress(f"wanted a port from {_PORTS[0]} to {_PORTS[-1]}, or none")
    return parsed


async def _read(response: httpx.Response, max_bytes: int | None) -> Answer:
    content = bytearray()
    if max_bytes is not None:
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > max_bytes:
                raise AnswerTooLarge(f"it has more than {max_bytes} bytes")
    return Answer(response.status_code, dict(response.headers), bytes(content))


def _within(timeout_s: float, work: Callable[[], Awaitable[_T]]) -> _T:
    """What `work` comes to on an event loop of its own, where one limit is for all of it."""

    async def limited() -> _T:
        with anyio.fail_after(timeout_s):
            return await work()

    try:
        return anyio.run(limited)
    except TimeoutError:
        raise Unreachable(f"there was no whole answer within {timeout_s:g} s") from None
    except httpx.HTTPError:
        raise Unreachable("the connection broke, or what came was no HTTP") from None
