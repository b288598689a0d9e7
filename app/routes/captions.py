"""GET /captions/check: which words of a caption a model knows, before anything is asked of it."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.deps import Models
from app.errors import InvalidRequest, responses
from app.schemas.captions import CaptionCheck
from worker.messages import MAX_CAPTION

router = APIRouter(tags=["captions"])


@router.get(
    "/captions/check",
    operation_id="checkCaption",
    response_description="The words.",
    responses=responses(InvalidRequest),
)
def check_caption(
    models: Models,
    caption: Annotated[str, Query(max_length=MAX_CAPTION, examples=["a crimson flower"])],
    model: Annotated[str | None, Query(max_length=100, examples=["tagan-flowers-64"])] = None,
) -> CaptionCheck:
    """The words of a caption as the model reads them; for unknown ones, the nearest it knows."""
    asked = models.find(model).id
    other = models.other_model(caption, asked)
    unknown = models.unknown_words(caption, asked)
    return CaptionCheck.of(caption, unknown, other_model=other.id if other else None)
