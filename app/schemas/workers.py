"""What an answer about a worker holds."""

from typing import Literal, Self

from pydantic import BaseModel, Field

from worker.queue import WorkerView


class WorkInHand(BaseModel):
    """What a worker does now."""

    kind: Literal["job", "batch", "import", "direct"] = Field(
        description="`direct`: a job of another program, over RQ."
    )
    id: str


class Worker(BaseModel):
    """A process that holds models and does jobs."""

    id: str
    host: str
    device: str = Field(examples=["cpu", "cuda:0"])
    models: list[str] = Field(description="Those that it has in memory.")
    served: list[str] = Field(description="Those that it can load.")
    memory_bytes: dict[str, int] = Field(
        description="`resident`: of its process; `models`: of these in it; `device`: of a GPU."
    )
    doing: WorkInHand | None = Field(description="Null while it waits for work.")

    @classmethod
    def of(cls, view: WorkerView) -> Self:
        doing = view.doing
        return cls(
            id=view.name,
            host=view.host,
            device=view.device,
            models=list(view.models),
            served=list(view.served),
            memory_bytes=dict(view.memory_bytes),
            doing=WorkInHand(kind=doing.kind, id=doing.id) if doing else None,
        )


class WorkerList(BaseModel):
    """All workers."""

    workers: list[Worker]
