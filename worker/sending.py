"""What sends spans to a collector; needs OpenTelemetry's SDK, the extra `otel`. Free of torch."""

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_ADDRESSES = ("url.path", "url.query", "url.full")  # `http.route` says what can be said of them


class WithoutAddresses(BatchSpanProcessor):
    """Sends spans in batches, without addresses: they may have anything in them, captions too."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        for name in _ADDRESSES:
            if name in (span.attributes or {}):
                span.set_attribute(name, "")
        super().on_start(span, parent_context)


def create_provider(process: str) -> TracerProvider:
    """Sends spans of `process` to where OpenTelemetry's own variables say."""
    provider = TracerProvider(resource=Resource.create({"service.name": f"wordbrush-{process}"}))
    provider.add_span_processor(WithoutAddresses(OTLPSpanExporter()))
    return provider
