"""GET /v1/models and /v1/models/{id}: as OpenAI's."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel

from app.deps import All
from app.errors import InvalidRequest, NotFound, responses
from app.openai import task_models

router = APIRouter(tags=["openai"])


class OpenAIModel(BaseModel):
    """A checkpoint, as OpenAI's clients list them."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "wordbrush"


class OpenAIModelList(BaseModel):
    """All of them, the first choice first."""

    object: Literal["list"] = "list"
    data: list[OpenAIModel]


@router.get("/v1/models", operation_id="listOpenAIModels", response_description="The models.")
def list_models(services: All) -> OpenAIModelList:
    """What can be asked for, as OpenAI's clients list it."""
    return OpenAIModelList(data=[OpenAIModel(id=model) for model in task_models(services)])


@router.get(
    "/v1/models/{model}",
    operation_id="readOpenAIModel",
    response_description="The model.",
    responses=responses(NotFound, InvalidRequest),
)
def read_model(services: All, model: Annotated[str, Path(max_length=100)]) -> OpenAIModel:
    """One of them, by its id."""
    if model not in (known := task_models(services)):
        raise NotFound(f"there is no such model, wanted one of: {', '.join(known)}")
    return OpenAIModel(id=model)
