"""What an answer about the service itself holds."""

from typing import Literal

from pydantic import BaseModel, Field


class Alive(BaseModel):
    """The web process runs."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Work that is sent now is done now."""

    status: Literal["ready"] = "ready"
    models: list[str] = Field(description="Models that a worker has in memory.")
    queued: int = Field(description="Jobs that wait for a worker.")
