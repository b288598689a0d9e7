"""GET /v1/models: as OpenAI's."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from app.deps import All
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
