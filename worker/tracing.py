"""One trace from the request to the work, where a collector is named. Free of torch.

OTEL_EXPORTER_OTLP_ENDPOINT names it, and the other variables of OpenTelemetry's SDK count too. The
way of a trace from the web process to a worker is a field of the job's record. Spans carry ids,
times and names of models; as in the logs, nothing that a person wrote.
"""

import os
from collections.abc import Mapping
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracerProvider, Span, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

LAST_SPANS_S = 3.0  # else a collector that is away keeps processes for half a minute

_PROPAGATOR = TraceContextTextMapPropagator()


class TracingNotInstalled(RuntimeError):
    """A collector is named, and what would send to it is not installed."""


def provider_from_environment(process: str) -> TracerProvider:
    """Where spans of `process` go: to the collector that the environment names, else nowhere.

    Raises:
        TracingNotInstalled: the extra `otel` is missing.
    """
    if not is_wanted():
        return NoOpTracerProvider()
    from worker.sending import create_provider

    return create_provider(process)


def is_wanted() -> bool:
    """Whether the environment names a collector; what is started later will send to it, too.

    Raises:
        TracingNotInstalled: it does, and the extra `otel` is missing.
    """
    if not os.environ.get(ENDPOINT):
        return False
    try:
        import worker.sending  # noqa: F401  # to see that it can be
    except ImportError as error:
        raise TracingNotInstalled(
            f"{ENDPOINT} is set, but {error.name} is not installed: pip install 'wordbrush[otel]'"
        ) from error
    return True


def close(provider: TracerProvider) -> None:
    """Send what has not been sent, for LAST_SPANS_S at most: the process is to end."""
    if shutdown := getattr(provider, "shutdown", None):  # the one that sends nothing has none
        sending = Thread(target=shutdown, name="last spans", daemon=True)
        sending.start()
        sending.join(LAST_SPANS_S)


def end(span: Span, figures: Mapping[str, AttributeValue], error: str | None = None) -> None:
    """End the span with what is to be told of its work; as an error, if one is named, once."""
    if not span.is_recording():  # it has ended, or nobody listens
        return
    span.set_attributes({f"wordbrush.{name}": value for name, value in figures.items()})
    if error is not None:
        span.set_status(StatusCode.ERROR, error)
    span.end()


def current() -> dict[str, str]:
    """The trace that this thread or task is in, as W3C's headers; empty outside of any."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier


def context_of(carrier: Mapping[str, str]) -> Context:
    """The trace that `current` wrote down, to be continued."""
    return _PROPAGATOR.extract(carrier)
