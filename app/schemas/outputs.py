"""What an answer holds of what came of a job: pictures by their links, and matches of a search."""

from typing import Self
from urllib.parse import quote

from pydantic import BaseModel, Field

from worker.messages import Match as FoundMatch
from worker.messages import OutputFile


class Heatmap(BaseModel):
    """Where one word looked in one stage: grey, white where it counted most."""

    stage: int = Field(description="From 0, the stage with the fewest pixels.")
    word: int = Field(description="Its place in `words`, from 0.")
    strength: float = Field(
        description="How far the word took places for itself, from 0 to 1; ranks a stage's words."
    )
    image: str = Field(description="PNG.", examples=["/jobs/3f0c/outputs/0/heatmaps/0/3"])


class WordScore(BaseModel):
    """Whether the picture obeys one word."""

    word: int = Field(description="Its place in `words`, from 0.")
    score: float = Field(description="From 0 to 1, by the model's own discriminator.")


class JobOutput(BaseModel):
    """One finished picture, by its links, and what the model can tell of it."""

    image: str = Field(examples=["/jobs/3f0c/outputs/0/image"])
    media_type: str = Field(examples=["image/jpeg"])
    width: int
    height: int
    seed: int
    network_image: str = Field(description="The network's own small answer, PNG.")
    words: list[str] = Field(
        description="The caption as the model read it; empty where nothing is told of words."
    )
    stages: list[str] = Field(description="Earlier, smaller pictures, smallest first, PNG.")
    heatmaps: list[Heatmap] = Field(description="Of each stage and word; empty without attention.")
    scores: list[WordScore] = Field(description="Of each word; empty where the model can't tell.")
    position: float | None = Field(
        description="From 0 to 1, between the ends of an interpolation; null if it is none."
    )

    @classmethod
    def of(cls, file: OutputFile, link: str) -> Self:
        return cls(
            image=f"{link}/image",
            media_type=file.media_type,
            width=file.width,
            height=file.height,
            seed=file.seed,
            network_image=f"{link}/network-image",
            words=list(file.words),
            stages=[f"{link}/stages/{i}" for i in range(len(file.stages))],
            heatmaps=[
                Heatmap(stage=stage, word=word, strength=s, image=f"{link}/heatmaps/{stage}/{word}")
                for stage, heatmap in enumerate(file.heatmaps)
                for word, s in enumerate(heatmap.strengths)
            ],
            scores=[WordScore(word=word, score=s) for word, s in enumerate(file.scores)],
            position=file.position,
        )


class Match(BaseModel):
    """A picture that a search found."""

    image: str = Field(examples=["/library/dahlia.jpg"])
    name: str | None = Field(description="In the library; null for one that the search named.")
    image_id: str | None = Field(description="For an upload that the search named.")
    score: float = Field(description="Between -1 and 1, the higher the nearer.")

    @classmethod
    def of(cls, match: FoundMatch) -> Self:
        in_library, is_link = match.place == "library", match.name.startswith("/")
        if in_library:
            image = f"/library/{quote(match.name)}"
        else:
            image = match.name if is_link else f"/images/{match.name}"
        return cls(
            image=image,
            name=match.name if in_library else None,
            image_id=None if in_library or is_link else match.name,
            score=match.score,
        )
