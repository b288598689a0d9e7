"""What a body may say, checked field by field; what needs the picture is checked in the routes."""

from typing import Annotated, Any, Literal

from fastapi import UploadFile
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from typing_extensions import TypeAliasType

from worker.messages import MAX_CAPTION, MAX_SEED, MAX_STEPS, MAX_VARIATIONS, Crop, with_words

DEFAULT_STEPS = 7
_CROP_PATTERN = r"^\d{1,6},\d{1,6},\d{1,6},\d{1,6}$"
_IMAGE_ID = r"uploads-[0-9a-f]{32}(\.[a-z0-9]{1,5})?"
IMAGE_ID_PATTERN = rf"^{_IMAGE_ID}$"
_OUTPUT = r"/jobs/[A-Za-z0-9_-]{1,64}/outputs/\d{1,3}/image"
MAX_MATCHES = 100
MAX_AMONG = 64


def _read_crop(value: object) -> object:
    parts = value.split(",") if isinstance(value, str) else []
    if len(parts) != 4 or not all(p.strip().isdecimal() and len(p) <= 6 for p in parts):
        raise ValueError("wanted left,top,width,height: four whole numbers of pixels")
    return Crop(*(int(part) for part in parts))


Caption = Annotated[
    str,
    Field(min_length=1, max_length=MAX_CAPTION, examples=["this flower has yellow petals"]),
    AfterValidator(with_words),
]
CropText = Annotated[
    Crop,
    BeforeValidator(_read_crop),
    WithJsonSchema({"type": "string", "pattern": _CROP_PATTERN, "examples": ["420,300,640,640"]}),
]


def _read_whole(value: object) -> object:
    """JSON has one type of number: 3.0 is an integer, as in JSON Schema (core, section 4.2.3)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Seed = Annotated[int, Field(ge=0, le=MAX_SEED), BeforeValidator(_read_whole)]
Variations = Annotated[int, Field(ge=1, le=MAX_VARIATIONS), BeforeValidator(_read_whole)]
Steps = Annotated[int, Field(ge=2, le=MAX_STEPS), BeforeValidator(_read_whole)]

# By a name, so that the API's description gives it one and generated clients have one type of it.
PictureFormat = TypeAliasType("PictureFormat", Literal["png", "jpeg", "webp"])


class Wish(BaseModel):
    """What every request for a picture says."""

    caption: Caption
    model: str | None = Field(
        None, max_length=100, description="An id of `GET /models`.", examples=["tagan-flowers-64"]
    )
    seed: Seed | None = Field(None, description="Left out: one is drawn.")
    variations: Variations = Field(1, description="Each has the next seed.")
    format: PictureFormat | None = Field(None, description="Left out: as the photo came, else PNG.")
    caption_to: Caption | None = Field(
        None, description="Go from `caption` to this one, in `steps`.", examples=["red petals"]
    )
    steps: Steps | None = Field(
        None,
        description="Pictures from one end to the other, both included, all of one noise. Only "
        f"with another end; left out: {DEFAULT_STEPS}.",
    )


class Told(BaseModel):
    """Who is told of the end."""

    webhook: str | None = Field(
        None,
        max_length=2000,
        pattern="^https?://",
        description="An address that is sent the end by POST, signed: see docs/webhooks.md.",
        examples=["https://example.org/hooks/wordbrush"],
        json_schema_extra={"format": "uri"},
    )


ImageUrl = Annotated[
    str | None,
    Field(
        max_length=2000,
        description="In place of the file, where it is: fetched by the server, if that is on.",
        examples=["https://example.org/flower.jpg"],
    ),
]


class EditForm(Wish, Told):
    """What to change and in which picture: `image`, `image_id` or `image_url`, one of them."""

    image: UploadFile | None = Field(None, description="JPEG, PNG or WebP, up to 25 MiB.")
    image_id: str | None = Field(
        None, pattern=IMAGE_ID_PATTERN, description="A picture stored by `POST /images`."
    )
    image_url: ImageUrl = None
    image_to: UploadFile | None = Field(
        None,
        description="Or from this picture to another, in `steps`. If it has the same size, `crop` "
        "and `mask` are for both; else the result is what the network sees of them, the largest "
        "centred square of the other.",
    )
    image_id_to: str | None = Field(
        None, pattern=IMAGE_ID_PATTERN, description="In place of `image_to`, one that is stored."
    )
    crop: CropText | None = Field(
        None,
        description="left,top,width,height in pixels of the upright photo: what the network sees "
        "and may change. Left out: the largest centred square.",
    )
    mask: UploadFile | None = Field(
        None, description="A picture of the photo's size: white may change, black may not."
    )
    full_resolution: bool = Field(
        True, description="False: a preview, at most 768 pixels on its long side."
    )


class MaskForm(BaseModel):
    """A picture to find the object of: `image`, `image_id` or `image_url`, one of them."""

    image: UploadFile | None = Field(None, description="JPEG, PNG or WebP, up to 25 MiB.")
    image_id: str | None = Field(
        None, pattern=IMAGE_ID_PATTERN, description="A picture stored by `POST /images`."
    )
    image_url: ImageUrl = None
    crop: CropText | None = Field(
        None, description="As for `POST /manipulate`: the part that is looked at."
    )


class GenerationBody(Wish, Told):
    """What to draw. JSON has types of its own, so that a number in quotes is none."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "caption": "this flower has yellow petals",
                    "model": "attngan-flowers-64",
                    "seed": 7,
                    "variations": 2,
                    "format": "png",
                }
            ]
        },
    )

    model: str | None = Field(
        None,
        max_length=100,
        description="An id of `GET /models` whose `tasks` have `generate`.",
        examples=["attngan-flowers-64"],
    )


class SearchQuery(BaseModel):
    """What to find: like a picture, as a caption says, or like one of the two."""

    caption: Caption | None = Field(
        None,
        min_length=1,
        max_length=MAX_CAPTION,
        description="What differs from the picture; without one, what is wanted.",
        examples=["the same but in red"],
    )
    image_id: str | None = Field(
        None, pattern=IMAGE_ID_PATTERN, description="A picture stored by `POST /images`."
    )
    model: str | None = Field(
        None,
        max_length=100,
        description="An id of `GET /models` whose `tasks` have `search`.",
        examples=["tirg-clothes-128"],
    )
    limit: int = Field(12, ge=1, le=MAX_MATCHES, description="Matches at most.")
    crop: CropText | None = Field(
        None, description="As for `POST /manipulate`: the part of the picture that counts."
    )
    among: list[Annotated[str, Field(pattern=rf"^({_IMAGE_ID}|{_OUTPUT})$")]] = Field(
        [],
        max_length=MAX_AMONG,
        description="Pictures to look through beside the library: an `image_id`, or the `image` "
        "of a job's output.",
    )


class SearchForm(SearchQuery):
    """The same, with a photo that is sent along."""

    image: UploadFile | None = Field(None, description="JPEG, PNG or WebP, up to 25 MiB.")


class ImageForm(BaseModel):
    """A picture to keep: `image` or `image_url`, one of the two."""

    image: UploadFile | None = Field(None, description="JPEG, PNG or WebP, up to 25 MiB.")
    image_url: ImageUrl = None


def describe(document: dict[str, Any]) -> None:
    """Mend the OpenAPI `document`: a form has no null, what is not said is left out; and a file is
    called as generators of clients know it.
    """
    for operation in (one for methods in document["paths"].values() for one in methods.values()):
        content = operation.get("requestBody", {}).get("content", {})
        if form := content.get("multipart/form-data"):
            name = form["schema"]["$ref"].rpartition("/")[2]
            for field in document["components"]["schemas"][name]["properties"].values():
                _without_null(field)
                if "contentMediaType" in field:
                    field["format"] = "binary"


def _without_null(field: dict[str, Any]) -> None:
    options = field.get("anyOf", [])
    if {"type": "null"} in options:
        del field["anyOf"]
        field |= next(option for option in options if option != {"type": "null"})
