"""Crops lie in their photo, and sizes are as asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from worker.crops import BadCrop, centred_square, check_crop, inside, scaled, shrink
from worker.messages import Crop


@given(st.integers(16, 9000), st.integers(16, 9000))
def test_the_centred_square_is_a_good_crop_and_as_large_as_can_be(width: int, height: int) -> None:
    crop = centred_square(width, height)
    check_crop(crop, width, height)
    assert crop.width == crop.height == min(width, height)
    assert abs((width - crop.width) - 2 * crop.left) <= 1
    assert abs((height - crop.height) - 2 * crop.top) <= 1


@pytest.mark.parametrize(
    "crop",
    [
        Crop(-1, 0, 50, 50),
        Crop(0, -1, 50, 50),
        Crop(51, 0, 50, 50),
        Crop(0, 31, 50, 50),
        Crop(0, 0, 101, 50),
        Crop(0, 0, 15, 50),
        Crop(0, 0, 50, 15),
        Crop(0, 0, 0, 0),
        Crop(60, 60, -50, -50),
    ],
)
def test_a_crop_over_an_edge_or_too_small_is_refused(crop: Crop) -> None:
    with pytest.raises(BadCrop, match="wanted"):
        check_crop(crop, 100, 80)


@pytest.mark.parametrize("crop", [Crop(0, 0, 100, 80), Crop(84, 64, 16, 16), Crop(50, 0, 50, 80)])
def test_a_crop_up_to_the_edges_is_taken(crop: Crop) -> None:
    check_crop(crop, 100, 80)


@given(st.integers(0, 60), st.integers(16, 60), st.floats(0.1, 1))
def test_a_crop_is_inside_the_photo_that_was_made_smaller(
    left: int, width: int, scale: float
) -> None:
    photo = shrink(Image.new("RGB", (left + width, 40)), max(1, round((left + width) * scale)))
    crop = inside(scaled(Crop(left, 0, width, 1), photo.width / (left + width)), photo)
    assert crop.left >= 0
    assert crop.left + crop.width <= photo.width


def test_a_photo_that_is_small_enough_is_not_resized() -> None:
    photo = Image.new("RGB", (30, 20))
    assert shrink(photo, 30) is photo
    assert shrink(photo, 15).size == (15, 10)
