"""A collector of traces, played by a plain HTTP server that keeps what it is sent."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


@contextmanager
def collector() -> Iterator[tuple[dict[str, str], list[bytes]]]:
    """The environment of processes that are to send there, and what was sent."""
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        yield (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": address,
                "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
                "OTEL_BSP_SCHEDULE_DELAY": "100",  # milliseconds
            },
            taken,
        )
        server.shutdown()


def spans_in(taken: Sequence[bytes]) -> list[Span]:
    """What a collector was sent, as spans."""
    return [
        span
        for raw in taken
        for resource in ExportTraceServiceRequest.FromString(raw).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def attributes_of(span: Span) -> dict[str, str | int]:
    """Those of a span that are texts or whole numbers."""
    return {
        one.key: one.value.string_value or one.value.int_value
        for one in span.attributes
        if one.value.WhichOneof("value") in ("string_value", "int_value")
    }


def error_of(span: Span) -> str | None:
    """Why the span is one of an error; None if it is none."""
    return span.status.message if span.status.code == Status.STATUS_CODE_ERROR else None
