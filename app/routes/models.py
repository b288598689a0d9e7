"""GET /models: the checkpoints that can be asked for."""

from fastapi import APIRouter

from app.deps import Models
from app.schemas.models import Model, ModelList

router = APIRouter(tags=["models"])


@router.get("/models", operation_id="listModels", response_description="The models.")
def list_models(models: Models) -> ModelList:
    """All checkpoints with their tasks, domains and figures, the first choice first."""
    return ModelList(models=[Model.of(header) for header in models])
