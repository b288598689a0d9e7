"""GET /library/{name}: the pictures that searches look through, as they are or small."""

from io import BytesIO
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response, status

from app.deps import All
from app.errors import InvalidRequest, NotFound, UnusablePicture, responses
from worker import pictures
from worker.library import NotInLibrary

router = APIRouter(prefix="/library", tags=["searches"])

MAX_SIDE = 1024  # pixels, of a picture that is asked for small
_PICTURE = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/{name:path}",
    operation_id="readLibraryPicture",
    response_class=Response,
    response_description="The picture.",
    responses={
        200: {"content": dict.fromkeys(("image/png", "image/jpeg", "image/webp"), _PICTURE)},
        304: {"description": "The picture is the one that the client has."},
        **responses(NotFound, UnusablePicture, InvalidRequest),
    },
)
def read_library_picture(
    services: All,
    name: Annotated[str, Path(max_length=500, description="As a search tells it.")],
    side: Annotated[
        int | None, Query(ge=16, le=MAX_SIDE, description="At most so many pixels a side, WebP.")
    ] = None,
    known_tags: Annotated[str, Header(alias="If-None-Match")] = "",
) -> Response:
    """One picture of the library."""
    try:
        path = services.library.find(name)
        written = path.stat().st_mtime_ns
    except (NotInLibrary, FileNotFoundError):
        raise NotFound("the library has no such picture") from None
    tag = f'"{written:x}-{side or "whole"}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in (known.strip().removeprefix("W/") for known in known_tags.split(",")):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    data = path.read_bytes()
    if side is None:
        kind = path.suffix[1:].lower().replace("jpg", "jpeg")
        return Response(data, media_type=pictures.media_type(kind), headers=headers)
    return Response(_small(data, side), media_type="image/webp", headers=headers)


def _small(data: bytes, side: int) -> bytes:
    photo = pictures.decode(data)
    photo.pixels.thumbnail((side, side))
    file = BytesIO()
    photo.pixels.save(file, "webp", quality=80)
    return file.getvalue()
