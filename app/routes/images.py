"""POST /images: keep a picture, so that many captions can be tried on one upload; and GET it."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Response, status

from app.deps import All, Files
from app.errors import (
    BadRequest,
    ContentTooLarge,
    Gone,
    InvalidRequest,
    NoAnswer,
    RefusedAddress,
    UnsupportedMedia,
    UnusablePicture,
    responses,
)
from app.forms import IMAGE_ID_PATTERN, ImageForm
from app.given import fetched
from app.schemas.images import StoredImage
from worker.pictures import MEDIA_TYPES

router = APIRouter(tags=["edits"])

_PICTURE = {"schema": {"type": "string", "format": "binary"}}

REFUSALS = (BadRequest, ContentTooLarge, UnsupportedMedia, UnusablePicture, InvalidRequest)


@router.post(
    "/images",
    operation_id="storeImage",
    status_code=status.HTTP_201_CREATED,
    response_description="The picture is kept.",
    responses=responses(*REFUSALS, RefusedAddress, NoAnswer),
)
def store_image(
    services: All, form: Annotated[ImageForm, Form(media_type="multipart/form-data")]
) -> StoredImage:
    """Keep a picture; edits name it by `image_id` until it expires."""
    if (form.image is None) == (form.image_url is None):
        raise InvalidRequest.of("image", "wanted either a file here or an image_url, and not both")
    uploads = services.uploads
    picture = uploads.read(form.image) if form.image else fetched(services, form.image_url or "")
    image_id = uploads.keep(picture)
    width, height = picture.size
    expires_at = uploads.entry(image_id).expires_at
    return StoredImage(image_id=image_id, width=width, height=height, expires_at=expires_at)


@router.get(
    "/images/{image_id}",
    operation_id="readImage",
    response_class=Response,
    response_description="The picture, as it came.",
    responses={
        200: {"content": dict.fromkeys(MEDIA_TYPES.values(), _PICTURE)},
        **responses(Gone, InvalidRequest),
    },
)
def read_image(
    store: Files,
    image_id: Annotated[
        str, Path(pattern=IMAGE_ID_PATTERN, description="Of `POST /images` or of a job.")
    ],
) -> Response:
    """A kept picture; its id, which nobody can guess, is what allows to see it."""
    kind = image_id.rpartition(".")[2]
    headers = {"Cache-Control": "private, max-age=3600, immutable"}
    media_type = MEDIA_TYPES.get(kind, "application/octet-stream")
    return Response(store.get(image_id), media_type=media_type, headers=headers)
