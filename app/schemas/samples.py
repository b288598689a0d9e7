"""What an answer about the sample pictures holds."""

from pydantic import BaseModel, Field


class Sample(BaseModel):
    """A picture to try things out on, free to use."""

    name: str
    url: str
    thumbnail: str = Field(description="The same, small.")
    title: str
    author: str
    licence: str
    licence_text: str = Field(description="Where the licence can be read.")
    source: str
    domain: str = Field(description="Of the models that it suits.")


class SampleList(BaseModel):
    """All sample pictures."""

    samples: list[Sample]
