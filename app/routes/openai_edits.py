"""POST /v1/images/edits: as OpenAI's."""

from dataclasses import replace
from io import BytesIO
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from PIL import Image, ImageChops
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from app.deps import All, Services
from app.errors import Gone, InvalidRequest, Unavailable, responses
from app.openai import Images, Place, Prompt, answer
from app.routes.images import REFUSALS
from app.routes.submissions import check_room, read_wish
from app.uploads import Picture
from models.registry import Task
from worker.queue import Terms

router = APIRouter(tags=["openai"])


class EditPrompt(Prompt):
    """What to change, and in which picture."""

    image: UploadFile | None = Field(None, description="JPEG, PNG or WebP, up to 25 MiB.")
    # Some clients say it so. Not described: beside `image` it would be one name twice.
    images: SkipJsonSchema[list[UploadFile]] = Field([], alias="image[]", max_length=1)
    mask: UploadFile | None = Field(
        None, description="A PNG of the photo's size: what is transparent may change."
    )


def _submit(
    request: Request,
    services: All,
    form: Annotated[EditPrompt, Form(media_type="multipart/form-data")],
    _place: Place,
) -> str:
    """Check everything, then keep the pictures, then queue the job; a refusal leaves nothing."""
    wanted = read_wish(services, form.wish(), Task.MANIPULATE)
    upload = form.image or next(iter(form.images), None)
    if upload is None:
        raise InvalidRequest.of("image", "wanted a picture")
    photo = services.uploads.read(upload)
    mask = _mask(services, form.mask, photo) if form.mask else None
    check_room(services)
    with_photo = replace(
        wanted,
        image_id=services.uploads.keep(photo),
        mask_id=services.store.put(mask, kind="uploads", suffix=".png") if mask else None,
    )
    return services.queue.submit(with_photo, terms=Terms(request.state.request_id))


@router.post(
    "/v1/images/edits",
    operation_id="createImageEdit",
    response_description="The pictures.",
    responses=responses(*REFUSALS, Gone, Unavailable),
)
async def create_image_edit(
    request: Request,
    services: All,
    job_id: Annotated[str, Depends(_submit)],
    form: Annotated[EditPrompt, Form(media_type="multipart/form-data")],
) -> Images:
    """Change what the prompt names, for clients that speak to OpenAI: change their base URL.

    The pictures have the photo's own size, whatever `size` says.
    """
    return await answer(services, form, job_id, str(request.base_url))


def _mask(services: Services, upload: UploadFile, photo: Picture) -> bytes:
    """Their mask as ours, PNG: what is transparent in theirs is white in ours."""
    theirs = services.uploads.read(upload, "mask")
    if theirs.size != photo.size:
        raise InvalidRequest.of("mask", "wanted one of the photo's size")
    alpha = Image.open(BytesIO(theirs.data)).convert("RGBA").getchannel("A")
    ours = BytesIO()
    ImageChops.invert(alpha).save(ours, "PNG")
    return ours.getvalue()
