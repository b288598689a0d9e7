"""The photo that a request is about: sent along, named by the id of one that is kept, or fetched
from the address where it is.
"""

from dataclasses import dataclass

from fastapi import UploadFile

from app.deps import Services
from app.errors import InvalidRequest
from app.outbound import Unreachable
from app.uploads import Picture
from worker.store import NotStored


@dataclass(frozen=True)
class GivenPhoto:
    """A photo that is kept, or will be."""

    size: tuple[int, int]  # width and height in pixels
    image_id: str | None  # of one that is kept
    upload: Picture | None  # a new one

    def keep(self, services: Services) -> str | None:
        """Its id, from now on at the latest."""
        return services.uploads.keep(self.upload) if self.upload else self.image_id


def given(
    services: Services,
    field: str,
    file: UploadFile | None,
    image_id: str | None,
    url: str | None = None,
) -> GivenPhoto:
    """The photo in the form's `field`, or the one that an id or an address in its place stands for.

    Raises:
        InvalidRequest: none of them is there, or several are, or nothing is kept under the id.
        BadPicture: the file is none, or one that can't be used.
        And what `fetched` raises.
    """
    id_field = field.replace("image", "image_id")
    if sum(part is not None for part in (file, image_id, url)) != 1:
        message = f"wanted either a file here or an {id_field}, and not both"
        raise InvalidRequest.of(field, message)
    if file or url:
        upload = services.uploads.read(file, field) if file else fetched(services, url or "")
        return GivenPhoto(upload.size, None, upload)
    try:
        return GivenPhoto(services.uploads.size(image_id or ""), image_id, None)
    except NotStored:
        message = "no picture is kept under this id, or no longer: upload it again"
        raise InvalidRequest.of(id_field, message) from None


def fetched(services: Services, url: str) -> Picture:
    """The picture at an address that a client names.

    Raises:
        InvalidRequest: that is off here.
        ForbiddenAddress: it is not one that may be called.
        Unreachable: nothing is there, or it takes too long.
        AnswerTooLarge: it is larger than an upload may be.
        BadPicture: what is there is no picture, or one that can't be used.
    """
    settings = services.settings
    if not settings.image_urls:
        raise InvalidRequest.of("image_url", "addresses are not fetched here, wanted the file")
    answer = services.outbound.get(
        url, max_bytes=settings.max_upload_bytes, timeout_s=settings.image_url_timeout_s
    )
    if answer.status != 200:
        raise Unreachable(f"the address answered with status {answer.status}, wanted a picture")
    return services.uploads.decode(answer.content)
