"""POST /images: keep a picture, so that many captions can be tried on one upload."""

from typing import Annotated

from fastapi import APIRouter, Form, status

from app.deps import Pictures
from app.errors import (
    BadRequest,
    ContentTooLarge,
    InvalidRequest,
    UnsupportedMedia,
    UnusablePicture,
    responses,
)
from app.forms import ImageForm
from app.schemas import StoredImage

router = APIRouter(tags=["edits"])

REFUSALS = (BadRequest, ContentTooLarge, UnsupportedMedia, UnusablePicture, InvalidRequest)


@router.post(
    "/images",
    operation_id="storeImage",
    status_code=status.HTTP_201_CREATED,
    response_description="The picture is kept.",
    responses=responses(*REFUSALS),
)
def store_image(
    uploads: Pictures, form: Annotated[ImageForm, Form(media_type="multipart/form-data")]
) -> StoredImage:
    """Keep a picture; edits name it by `image_id` until it expires."""
    picture = uploads.read(form.image)
    image_id = uploads.keep(picture)
    width, height = picture.size
    expires_at = uploads.entry(image_id).expires_at
    return StoredImage(image_id=image_id, width=width, height=height, expires_at=expires_at)
