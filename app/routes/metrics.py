"""GET /metrics: what the service does, as Prometheus scrapes it."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.deps import All
from app.errors import Unavailable, responses
from app.metrics import render

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    operation_id="readMetrics",
    response_class=Response,
    response_description="The figures, in Prometheus' text format.",
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **responses(Unavailable),
    },
)
def read_metrics(services: All) -> Response:
    """Counts of the whole service: jobs, queue, workers, times. The same from each web process."""
    return Response(
        render(services.metrics),
        headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"},
    )
