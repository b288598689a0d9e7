"""The part of a photo that a network sees, and photos of other sizes. Free of torch."""

from PIL import Image

from worker.messages import Crop

MIN_SIDE = 16  # pixels; of a photo and of a crop


class BadCrop(ValueError):
    """The crop does not lie in the photo, or is too small."""


def centred_square(width: int, height: int) -> Crop:
    """The largest square in the middle of a photo of this size in pixels."""
    side = min(width, height)
    return Crop((width - side) // 2, (height - side) // 2, side, side)


def check_crop(crop: Crop, width: int, height: int) -> None:
    """Nothing, where `crop` is usable on a photo of this size in pixels.

    Raises:
        BadCrop: it reaches over an edge, or a side is shorter than `MIN_SIDE`.
    """
    if min(crop.width, crop.height) < MIN_SIDE:
        raise BadCrop(
            f"the crop is {crop.width} x {crop.height} pixels, wanted at least {MIN_SIDE} a side"
        )
    left, top, right, bottom = box(crop)
    if left < 0 or top < 0 or right > width or bottom > height:
        raise BadCrop(
            f"the crop goes from ({left}, {top}) to ({right}, {bottom}), wanted it inside the"
            f" photo's {width} x {height} pixels"
        )


def box(crop: Crop) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, as Pillow wants them."""
    return crop.left, crop.top, crop.left + crop.width, crop.top + crop.height


def scaled(crop: Crop, scale: float) -> Crop:
    """The crop in a photo that is `scale` times as large, to the nearest pixel."""
    left, top, right, bottom = (round(edge * scale) for edge in box(crop))
    return Crop(left, top, max(1, right - left), max(1, bottom - top))


def inside(crop: Crop, photo: Image.Image) -> Crop:
    """The crop moved so that rounding does not push it over the photo's edge."""
    left = min(crop.left, photo.width - crop.width)
    return Crop(left, min(crop.top, photo.height - crop.height), crop.width, crop.height)


def resized(image: Image.Image, crop: Crop, size: tuple[int, int]) -> Image.Image:
    """The crop alone, of another size in pixels."""
    return image.resize(size, Image.Resampling.BICUBIC, box=box(crop), reducing_gap=2.0)


def shrink(image: Image.Image, max_side: int) -> Image.Image:
    """The image at most `max_side` pixels on its long side; itself where it is small enough."""
    scale = max_side / max(image.size)
    if scale >= 1:
        return image
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.BICUBIC, reducing_gap=2.0)
