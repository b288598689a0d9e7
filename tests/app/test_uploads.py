from io import BytesIO

import pytest
from fastapi import UploadFile
from PIL import Image

from app.uploads import Uploads
from tests.app.conftest import picture
from worker.pictures import Animated, Broken, NotAPicture, TooLarge
from worker.store import NotStored, Store


@pytest.fixture
def uploads(store: Store) -> Uploads:
    return Uploads(store, max_bytes=100_000, max_pixels=10_000)


def upload(data: bytes) -> UploadFile:
    return UploadFile(BytesIO(data))


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_a_kept_picture_has_its_bytes_and_size(uploads: Uploads, store: Store, format: str) -> None:
    data = picture(80, 60, format)
    image_id = uploads.keep(uploads.read(upload(data)))
    assert store.get(image_id) == data
    assert uploads.size(image_id) == (80, 60)


def test_the_size_is_that_of_the_upright_picture(uploads: Uploads) -> None:
    lying = Image.new("RGB", (80, 60))
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter
    file = BytesIO()
    lying.save(file, "jpeg", exif=exif)
    image_id = uploads.keep(uploads.read(upload(file.getvalue())))
    assert uploads.size(image_id) == (60, 80)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", NotAPicture),
        (b"GIF89a", NotAPicture),
        (picture()[:300], Broken),
        (picture(200, 100), TooLarge),
        (bytes(100_001), TooLarge),
    ],
)
def test_what_cannot_be_used_is_refused(
    uploads: Uploads, data: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        uploads.read(upload(data))


def test_an_animation_is_refused(uploads: Uploads) -> None:
    file, frames = BytesIO(), [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    frames[0].save(file, "webp", save_all=True, append_images=frames[1:])
    with pytest.raises(Animated):
        uploads.read(upload(file.getvalue()))


def test_a_size_once_known_does_not_outlive_the_picture(uploads: Uploads, store: Store) -> None:
    image_id = uploads.keep(uploads.read(upload(picture())))
    uploads.size(image_id)
    store._files.rm_file(store._path(image_id))
    with pytest.raises(NotStored):
        uploads.size(image_id)
