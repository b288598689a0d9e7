import socket
import subprocess
import sys
from time import monotonic

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import INVALID_SPAN, NoOpTracerProvider, get_current_span

from worker import tracing


def test_a_trace_is_continued_from_what_was_written_down() -> None:
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("request") as request:
        written = tracing.current()
    with tracer.start_as_current_span("job", tracing.context_of(written)):
        job = get_current_span().get_span_context()
    assert job.trace_id == request.get_span_context().trace_id
    assert job.span_id != request.get_span_context().span_id


def test_outside_of_a_trace_nothing_is_written_down_and_nothing_continued() -> None:
    assert tracing.current() == {}
    assert get_current_span(tracing.context_of({})) is INVALID_SPAN


def test_without_a_collector_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tracing.ENDPOINT, raising=False)
    provider = tracing.provider_from_environment("web")
    assert isinstance(provider, NoOpTracerProvider)
    tracing.close(provider)


def test_where_a_collector_is_named_a_missing_sender_is_told_and_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['opentelemetry.sdk.resources'] = None\n"
        "from worker.__main__ import main; main()"
    )
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'wordbrush[otel]'" in done.stderr


def test_a_collector_that_is_silent_keeps_no_process_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv(tracing.ENDPOINT, address)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600")
        provider = tracing.provider_from_environment("worker")
        provider.get_tracer("test").start_span("job").end()
        started = monotonic()
        tracing.close(provider)
        assert monotonic() - started < 15  # OpenTelemetry itself waits for 30 s
