"""What an answer about an import of published weights holds."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from app.schemas.jobs import JobError
from worker.imports import ImportView
from worker.records import Status


class ImportLinks(BaseModel):
    """Where the import is."""

    self: str


class Import(BaseModel):
    """Published weights on their way to a checkpoint, as they stand."""

    id: str
    status: Status
    progress: float = Field(ge=0, le=1, description="How much of the work is done.")
    system: str
    domain: str
    model: str | None = Field(description="The new model's id, at the end.")
    error: JobError | None = Field(description="What is wrong with the files.")
    created_at: datetime
    finished_at: datetime | None
    links: ImportLinks

    @classmethod
    def of(cls, view: ImportView) -> Self:
        return cls(
            id=view.id,
            status=view.status,
            progress=view.progress,
            system=view.order.system,
            domain=view.order.domain,
            model=view.model,
            error=JobError.model_validate(view.error) if view.error else None,
            created_at=view.created_at,
            finished_at=view.finished_at,
            links=ImportLinks(self=f"/imports/{view.id}"),
        )
