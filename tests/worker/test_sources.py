"""What lies between two photos is both of them, in the share of the position."""

import numpy as np
import pytest
import torch
from PIL import Image

from models.base import Prepared
from worker.crops import centred_square
from worker.messages import Crop
from worker.pictures import Photo
from worker.sources import Source, ground


def source(colour: str, size: tuple[int, int], alpha: int | None = None) -> Source:
    pixels = Image.new("RGB", size, colour)
    transparency = None if alpha is None else Image.new("L", size, alpha)
    look = torch.full((1, 3, 16, 16), -1.0 if colour == "black" else 1.0)
    crop = centred_square(*size)
    return Source(Photo(pixels, transparency, "png"), crop, None, Prepared(look))


def between(first: Source, second: Source) -> Source:
    return Source(first.photo, first.crop, first.mask, first.prepared, to=second)


def test_without_a_second_photo_the_ground_is_the_photo() -> None:
    black = source("black", (40, 20))
    assert ground(black, None).photo is black.photo


@pytest.mark.parametrize(("position", "level"), [(0.0, 0), (0.5, 127), (1.0, 255)])
def test_photos_of_one_size_shine_through_each_other(position: float, level: int) -> None:
    laid = ground(between(source("black", (40, 20)), source("white", (40, 20))), position)
    assert laid.crop == Crop(10, 0, 20, 20)
    assert np.unique(np.asarray(laid.photo.pixels)).tolist() == [level]
    assert laid.look.unique().tolist() == [2 * position - 1]


def test_of_photos_of_different_size_the_crops_lie_on_each_other() -> None:
    laid = ground(between(source("black", (400, 200)), source("white", (40, 60))), 0.5)
    assert laid.photo.pixels.size == (40, 40)
    assert laid.crop == Crop(0, 0, 40, 40)


def test_transparency_goes_over_too() -> None:
    clear, opaque = source("black", (40, 20), alpha=0), source("white", (40, 20))
    laid = ground(between(clear, opaque), 0.5)
    assert laid.photo.alpha is not None
    assert laid.photo.alpha.getextrema() == (127, 127)
