"""A real HTTP server that does what a test says and writes down what came to it."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass(frozen=True)
class Arrival:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]  # by names in small letters
    body: bytes


@dataclass(frozen=True)
class Receiver:
    port: int
    arrivals: list[Arrival]


Answering = Callable[[BaseHTTPRequestHandler, Arrival], None]


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def receiving(
    answering: Answering = lambda handler, _: answer(handler, 204),
    *,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Receiver]:
    """A server on 127.0.0.1 that answers each request by `answering`."""
    arrivals: list[Arrival] = []

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            arrivals.append(Arrival(self.command, self.path, headers, body))
            answering(self, arrivals[-1])

        do_GET = do_POST = handle_any

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Receiver(server.server_port, arrivals)
        finally:
            server.shutdown()
            thread.join()
