"""What an answer about a checkpoint holds."""

from collections.abc import Collection
from typing import Self

from pydantic import BaseModel, Field

from models.checkpoint import Header
from models.registry import Task


class Checkpoint(BaseModel):
    """A checkpoint, as its file says."""

    id: str = Field(examples=["tagan-flowers-64"])
    system: str = Field(examples=["tagan"])
    title: str
    task: Task = Field(description="The first of `tasks`.")
    tasks: list[Task]
    domain: str = Field(examples=["flowers"])
    image_size: int = Field(description="Pixels a side of what the network sees.")
    trained: bool = Field(description="False: random weights, for trying out the house.")
    steps: int
    metrics: dict[str, float]
    licence: str
    data: str
    examples: list[str] = Field(description="Captions to start from.")
    summary: str
    keeps_photo: bool = Field(
        description="An edit is the photo with a change; false: what is in the crop is drawn anew."
    )
    paper: str

    @staticmethod
    def of(header: Header) -> "Checkpoint":
        spec = header.spec
        tasks = sorted(spec.tasks, reverse=True)  # search, manipulate, generate
        return Checkpoint(
            id=header.id,
            system=header.system,
            title=spec.title,
            task=tasks[0],
            tasks=tasks,
            domain=header.domain,
            image_size=header.image_size,
            trained=header.trained,
            steps=header.steps,
            metrics=dict(header.metrics),
            licence=header.licence,
            data=header.data,
            examples=list(header.examples),
            summary=spec.summary,
            keeps_photo=spec.keeps_photo,
            paper=spec.paper,
        )


class Model(Checkpoint):
    """A checkpoint that can be asked for."""

    served: bool = Field(
        description="A live worker has it in memory or can load it; false: what is asked of it "
        "waits for one, and fails where none comes."
    )

    @classmethod
    def standing(cls, header: Header, served: Collection[str]) -> Self:
        """With the ids of the models that are `served` now."""
        return cls(**Checkpoint.of(header).model_dump(), served=header.id in served)


class ModelList(BaseModel):
    """All checkpoints that are here."""

    models: list[Model]
