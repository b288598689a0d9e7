"""The photo that a request starts from, or the two between which it goes.

Shapes: S model side.
"""

from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor

from models.base import Prepared
from worker import crops
from worker.messages import Crop
from worker.pictures import Photo


@dataclass(frozen=True)
class Source:
    """A photo, and what the network sees of it."""

    photo: Photo
    crop: Crop
    mask: Image.Image | None  # L, of the photo's size
    prepared: Prepared  # of one picture
    to: "Source | None" = None  # the photo at the other end of an interpolation
    small: Image.Image | None = None  # the photo at the size of previews, where one is asked for


@dataclass(frozen=True)
class Ground:
    """What an answer is laid on."""

    photo: Photo
    crop: Crop
    mask: Image.Image | None
    look: Tensor  # (3, S, S) in [-1, 1], what the network saw in the crop
    small: Image.Image | None = None  # the photo at the size of previews, where it is there already


def ground(source: Source, position: float | None) -> Ground:
    """The photo; or at `position`, from 0 to 1, both photos shining through each other.

    Photos of one size lie on each other whole, so that both ends are the plain edits. Of others
    only the crops do, at the size of the one with fewer pixels: the result is no larger than that.
    """
    look = source.prepared.image[0]
    if source.to is None or position is None:
        return Ground(source.photo, source.crop, source.mask, look, source.small)
    first, second, crop = source.photo, source.to.photo, source.crop
    if not of_one_size(first, second):
        size = min((source.crop, source.to.crop), key=lambda c: c.width * c.height)
        crop = Crop(0, 0, size.width, size.height)
        first = _cut(first, source.crop, crop)
        second = _cut(second, source.to.crop, crop)
    photo = Photo(
        Image.blend(first.pixels, second.pixels, position),
        _between(first.alpha, second.alpha, position),
        source.photo.format,
    )
    mixed = torch.lerp(look, source.to.prepared.image[0], position)
    return Ground(photo, crop, source.mask, mixed)


def of_one_size(first: Photo, second: Photo) -> bool:
    return first.pixels.size == second.pixels.size


def _cut(photo: Photo, crop: Crop, to: Crop) -> Photo:
    """The crop alone, enlarged or shrunk to the size of another."""
    pixels = crops.resized(photo.pixels, crop, (to.width, to.height))
    alpha = photo.alpha and crops.resized(photo.alpha, crop, (to.width, to.height))
    return replace(photo, pixels=pixels, alpha=alpha)


def _between(
    first: Image.Image | None, second: Image.Image | None, position: float
) -> Image.Image | None:
    """Transparency between the two; None is opaque."""
    given = first or second
    if given is None:
        return None
    opaque = Image.new("L", given.size, 255)
    return Image.blend(first or opaque, second or opaque, position)
