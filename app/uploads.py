"""Uploads: decoded once to be sure of them, then kept as they came."""

from dataclasses import dataclass
from functools import lru_cache

from fastapi import UploadFile

from worker import pictures
from worker.pictures import BadPicture
from worker.store import Entry, Store

_SIZES_KEPT = 4096


@dataclass(frozen=True)
class Picture:
    """An upload that is known to decode."""

    data: bytes
    size: tuple[int, int]  # width and height in pixels, of the upright picture
    format: str  # jpeg, png or webp


class Uploads:
    """The way of a picture into the store."""

    def __init__(self, store: Store, *, max_bytes: int, max_pixels: int) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        # Many captions are tried on one stored picture: its size is measured once a process.
        self._known_size = lru_cache(_SIZES_KEPT)(self._measure)

    def read(self, upload: UploadFile, field: str = "image") -> Picture:
        """The picture in `upload`, decoded and not yet kept. (`BodyLimit` has bounded its bytes.)

        Raises:
            BadPicture: it is none, or one that can't be used; of another field of the form than
                `image`, which is the photo itself, it says which.
        """
        try:
            return self.decode(upload.file.read())
        except BadPicture as error:
            if field == "image":
                raise
            raise type(error)(f"{field}: {error}") from error

    def keep(self, picture: Picture) -> str:
        """Store the bytes as they came; the id under which edits can name them."""
        return self._store.put(picture.data, kind="uploads", suffix=f".{picture.format}")

    def entry(self, image_id: str) -> Entry:
        """Bytes and end of a kept picture.

        Raises:
            NotStored: there is none under this id, or its time is over.
        """
        return self._store.entry(image_id)

    def size(self, image_id: str) -> tuple[int, int]:
        """Width and height in pixels of a kept picture, upright.

        Raises:
            NotStored: there is none under this id, or its time is over.
        """
        self._store.entry(image_id)
        return self._known_size(image_id)

    def _measure(self, image_id: str) -> tuple[int, int]:
        return self.decode(self._store.get(image_id)).size

    def decode(self, data: bytes) -> Picture:
        """The picture in `data`, not yet kept.

        Raises:
            BadPicture: it is none, or one that can't be used.
        """
        photo = pictures.decode(data, max_bytes=self._max_bytes, max_pixels=self._max_pixels)
        return Picture(data, photo.pixels.size, photo.format)
