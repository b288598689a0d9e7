"""What an answer about a stored picture holds."""

from datetime import datetime

from pydantic import BaseModel, Field


class StoredImage(BaseModel):
    """A picture that edits can name from now on."""

    image_id: str
    width: int = Field(description="Pixels of the upright photo.")
    height: int
    expires_at: datetime
