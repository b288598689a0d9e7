"""GET /workers: who does the work, with what, and what each has in hand."""

from fastapi import APIRouter, Response

from app.deps import All
from app.errors import Unavailable, responses
from app.schemas.workers import Worker, WorkerList

router = APIRouter(prefix="/workers", tags=["health"])


@router.get(
    "",
    operation_id="listWorkers",
    response_description="The workers.",
    responses=responses(Unavailable),
)
def list_workers(services: All, response: Response) -> WorkerList:
    """The workers that are alive and ready, by name."""
    response.headers["Cache-Control"] = "no-store"
    return WorkerList(workers=[Worker.of(view) for view in services.queue.workers()])
