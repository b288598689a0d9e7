"""The photo that a request is about: sent along, or named by the id of one that is kept."""

from dataclasses import dataclass

from fastapi import UploadFile

from app.deps import Services
from app.errors import InvalidRequest
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
    services: Services, field: str, file: UploadFile | None, image_id: str | None
) -> GivenPhoto:
    """The photo in the form's `field`, or the one with the id that stands for it.

    Raises:
        InvalidRequest: neither is there, or both, or nothing is kept under the id.
        BadPicture: the file is none, or one that can't be used.
    """
    id_field = field.replace("image", "image_id")
    if (file is None) == (image_id is None):
        raise InvalidRequest.of(field, f"wanted either a file here or an {id_field}, and not both")
    if file:
        upload = services.uploads.read(file)
        return GivenPhoto(upload.size, None, upload)
    try:
        return GivenPhoto(services.uploads.size(image_id or ""), image_id, None)
    except NotStored:
        message = "no picture is kept under this id, or no longer: upload it again"
        raise InvalidRequest.of(id_field, message) from None
