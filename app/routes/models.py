"""GET /models: the checkpoints that can be asked for."""

from fastapi import APIRouter

from app.deps import Models, Queue
from app.schemas.models import Model, ModelList
from worker.connection import QueueDown
from worker.queue import JobQueue

router = APIRouter(tags=["models"])


@router.get("/models", operation_id="listModels", response_description="The models.")
def list_models(models: Models, queue: Queue) -> ModelList:
    """All checkpoints with their tasks, domains and figures, the first choice first; and whether a
    worker serves each now.
    """
    served = _served(queue)
    return ModelList(models=[Model.standing(header, served) for header in models])


def _served(queue: JobQueue) -> frozenset[str]:
    """None of them without the queue: then no worker hears of work."""
    try:
        return queue.served_models()
    except QueueDown:
        return frozenset()
