"""Photographs of every kind come in upright, RGB and whole, or are refused with a reason."""

import json
import struct
import zlib
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from worker import pictures
from worker.pictures import (
    Animated,
    BadPicture,
    Broken,
    NotAPicture,
    TooLarge,
    TooSmall,
    decode,
    encode,
    read_parameters,
)

FORMATS = ("jpeg", "png", "webp")
PARAMETERS = {"caption": "a yellow flower, très jolie", "seed": "7"}


def picture(width: int = 48, height: int = 32) -> Image.Image:
    """Smooth, each corner of another colour."""
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    channels = np.stack([across, down, 255 - across], axis=-1)
    return Image.fromarray(channels.astype(np.uint8))


def saved(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png(
    raw: bytes, *, side: int = 16, depth: int = 16, colour: int = 0, extra: bytes = b""
) -> bytes:
    """A PNG from its unfiltered bytes, for the kinds that Pillow does not write."""
    rows = len(raw) // side
    lines = b"".join(b"\0" + raw[i * rows : (i + 1) * rows] for i in range(side))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + header + extra + data + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def difference(a: Image.Image, b: Image.Image) -> int:
    return int(np.abs(np.asarray(a).astype(int) - np.asarray(b)).max())


# What comes in


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_is_known_by_its_content(format: str) -> None:
    photo = decode(saved(picture(), format))
    assert photo.format == format
    assert photo.pixels.mode == "RGB"
    assert photo.pixels.size == (48, 32)
    assert photo.alpha is None


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_in_upright(format: str, orientation: int) -> None:
    stored_to_upright = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, 1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = picture()
    data = saved(stored, format, exif=exif, quality=100, lossless=True)
    expected = Image.fromarray(stored_to_upright[orientation](np.asarray(stored)).copy())
    assert difference(decode(data).pixels, expected) <= 8


def test_transparency_is_turned_upright_with_its_picture() -> None:
    image = picture()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = decode(saved(image, exif=exif))
    assert photo.alpha is not None
    assert photo.alpha.size == photo.pixels.size == (32, 48)
    assert photo.alpha.getpixel((31, 0)) == image.getpixel((0, 0))[3]


def test_grey_of_sixteen_bits_is_scaled_and_not_clipped() -> None:
    grey = np.linspace(0, 65535, 256).round().astype(">u2")
    decoded = np.asarray(decode(png(grey.tobytes())).pixels)
    assert np.array_equal(decoded[..., 0].ravel(), np.arange(256))


def test_rgb_of_sixteen_bits_is_scaled_and_not_clipped() -> None:
    channel = np.linspace(0, 65535, 256).round().astype(">u2")
    decoded = np.asarray(decode(png(np.stack([channel] * 3, -1).tobytes(), colour=2)).pixels)
    assert np.abs(decoded[..., 1].ravel().astype(int) - np.arange(256)).max() <= 1


def test_the_transparent_grey_of_a_sixteen_bit_png_is_kept_apart() -> None:
    grey = np.arange(256, dtype=">u2") * 257
    extra = chunk(b"tRNS", struct.pack(">H", 5 * 257))
    alpha = decode(png(grey.tobytes(), extra=extra)).alpha
    assert alpha is not None
    assert np.flatnonzero(np.asarray(alpha).ravel() == 0).tolist() == [5]


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_other_colour_modes_become_rgb(mode: str) -> None:
    image = picture().convert("RGB" if mode == "P" else mode)
    if mode == "P":
        image = image.quantize(64)
    data = saved(image, "JPEG" if mode == "CMYK" else "PNG", quality=100)
    assert difference(decode(data).pixels, image.convert("RGB")) <= 8


def test_the_inverted_inks_of_adobe_jpegs_are_put_right() -> None:
    white = Image.new("CMYK", (32, 32), (0, 0, 0, 0))
    data = saved(white, "JPEG", quality=100)
    assert b"Adobe" in data
    assert decode(data).pixels.getpixel((9, 9)) == (255, 255, 255)


def test_grey_with_transparency_is_kept_apart() -> None:
    image = Image.new("LA", (20, 20), (100, 30))
    photo = decode(saved(image))
    assert photo.pixels.getpixel((3, 3)) == (100, 100, 100)
    assert photo.alpha is not None
    assert photo.alpha.getpixel((3, 3)) == 30


def test_a_palette_with_transparency_is_kept_apart() -> None:
    image = Image.new("P", (20, 20), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(0, (0, 0, 10, 20))
    photo = decode(saved(image, transparency=bytes([128, 255])))
    assert photo.pixels.getpixel((2, 2)) == (255, 0, 0)
    assert photo.alpha is not None
    assert (photo.alpha.getpixel((2, 2)), photo.alpha.getpixel((15, 2))) == (128, 255)


def test_hidden_colours_under_full_transparency_become_white() -> None:
    image = Image.new("RGBA", (20, 20), (10, 20, 30, 0))
    image.paste((40, 50, 60, 1), (0, 0, 10, 20))
    photo = decode(saved(image))
    assert photo.pixels.getpixel((15, 5)) == (255, 255, 255)
    assert photo.pixels.getpixel((5, 5)) == (40, 50, 60)


def test_an_alpha_channel_that_hides_nothing_is_dropped() -> None:
    assert decode(saved(picture().convert("RGBA"))).alpha is None


# Colour profiles


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def red_and_green_swapped() -> bytes:
    """A profile whose red is what sRGB calls green, and the other way round."""
    profile = srgb_profile()
    table = profile[:400].replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ")
    return table.replace(b"????", b"gXYZ") + profile[400:]


@pytest.mark.parametrize("format", FORMATS)
def test_colours_are_converted_from_the_pictures_profile(format: str) -> None:
    red = Image.new("RGB", (32, 32), (255, 0, 0))
    options = {"icc_profile": red_and_green_swapped(), "quality": 100, "lossless": True}
    pixel = decode(saved(red, format, **options)).pixels.getpixel((9, 9))
    assert np.abs(np.array(pixel) - (0, 255, 0)).max() <= 4


def test_a_picture_that_is_srgb_already_keeps_every_bit() -> None:
    assert difference(decode(saved(picture(), icc_profile=srgb_profile())).pixels, picture()) == 0


@pytest.mark.parametrize("profile", [b"rubbish", srgb_profile()[:200], b"\0" * 4000])
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    assert difference(decode(saved(picture(), icc_profile=profile)).pixels, picture()) == 0


def test_a_profile_for_another_kind_of_colours_is_ignored() -> None:
    grey = Image.new("L", (20, 20), 90)
    photo = decode(saved(grey, icc_profile=srgb_profile()))
    assert photo.pixels.getpixel((0, 0)) == (90, 90, 90)


# What is refused


@pytest.mark.parametrize("format", ["GIF", "TIFF", "BMP", "PPM", "ICO", "JPEG2000"])
def test_other_kinds_of_picture_are_refused_and_told_what_is_wanted(format: str) -> None:
    with pytest.raises(NotAPicture, match="JPEG, PNG or WebP"):
        decode(saved(picture(), format))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"GIF89a...", "GIF"),
        (b"\n <svg xmlns=''/>", "SVG"),
        (b"\0\0\0\x1cftypheic", "HEIC"),
        (b"%PDF-1.7", "PDF"),
        (b"", "empty"),
        (b"hello", "unknown"),
    ],
)
def test_a_refusal_names_the_kind_that_came(data: bytes, name: str) -> None:
    with pytest.raises(NotAPicture, match=name):
        decode(data)


def test_too_many_bytes_are_refused() -> None:
    data = saved(picture())
    assert decode(data, max_bytes=len(data))
    with pytest.raises(TooLarge, match="bytes"):
        decode(data, max_bytes=len(data) - 1)


@pytest.mark.parametrize("format", FORMATS)
def test_too_many_pixels_are_refused(format: str) -> None:
    data = saved(picture(), format)
    assert decode(data, max_pixels=48 * 32)
    with pytest.raises(TooLarge, match="48 x 32"):
        decode(data, max_pixels=48 * 32 - 1)


def test_a_huge_header_is_refused_before_anything_is_decoded() -> None:
    bomb = png(b"", side=60_000, depth=8)[:60]  # the header alone: decoding it would be Broken
    with pytest.raises(TooLarge, match="60000"):
        decode(bomb)


def test_a_huge_webp_header_is_refused_before_its_canvas_is_made() -> None:
    extended = b"VP8X" + struct.pack("<I", 10) + b"\0" * 4 + b"\xfe\x3f\0" * 2
    data = b"RIFF" + struct.pack("<I", 4 + len(extended)) + b"WEBP" + extended
    with pytest.raises(TooLarge):
        decode(data)


@pytest.mark.parametrize("size", [(15, 40), (40, 15)])
def test_a_picture_under_sixteen_pixels_a_side_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(TooSmall, match="16"):
        decode(saved(picture(*size)))


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_an_animated_picture_is_refused(format: str) -> None:
    other = Image.new("RGB", (48, 32), "red")
    with pytest.raises(Animated, match="still"):
        decode(saved(picture(), format, save_all=True, append_images=[other], duration=50))


def test_the_two_pictures_in_a_telephones_jpeg_are_no_animation() -> None:
    data = saved(picture(), "MPO", save_all=True, append_images=[picture(16, 16)], quality=100)
    photo = decode(data)
    assert photo.format == "jpeg"
    assert difference(photo.pixels, picture()) <= 8


def test_a_jpeg_with_countless_scans_is_refused() -> None:
    data = saved(picture(), "JPEG")
    start = data.index(b"\xff\xda")
    with pytest.raises(Broken, match="scans"):
        decode(data[:-2] + data[start:-2] * 200 + data[-2:])


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_cut_in_half_is_broken(format: str) -> None:
    data = saved(picture(200, 200), format)
    with pytest.raises(Broken, match="cut short"):
        decode(data[: len(data) // 2])


def test_damaged_exif_neither_warns_nor_keeps_the_picture_out() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a long description that is cut off"
    for end in range(6, len(exif.tobytes())):
        data = saved(picture(), "JPEG", exif=exif.tobytes()[:end])
        assert decode(data).pixels.mode == "RGB"


@given(st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
def test_random_bytes_are_refused_and_nothing_else_happens(rubbish: bytes, magic: bytes) -> None:
    with pytest.raises(BadPicture):
        decode(magic + rubbish)


@settings(max_examples=200)
@given(st.sampled_from(FORMATS), st.data())
def test_a_picture_cut_anywhere_opens_or_is_refused(format: str, data: st.DataObject) -> None:
    whole = encode(picture(), None, format, PARAMETERS)
    end = data.draw(st.integers(0, len(whole) - 1))
    opens_or_is_refused(whole[:end])


@settings(max_examples=300)
@given(st.sampled_from(FORMATS), st.data())
def test_a_picture_with_changed_bytes_opens_or_is_refused(format: str, data: st.DataObject) -> None:
    damaged = bytearray(encode(picture(), None, format, PARAMETERS))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    opens_or_is_refused(bytes(damaged))


def opens_or_is_refused(data: bytes) -> None:
    read_parameters(data)
    with suppress(BadPicture):
        assert decode(data).pixels.mode == "RGB"


# What goes out


@pytest.mark.parametrize("format", FORMATS)
def test_parameters_are_read_back_from_the_file(format: str) -> None:
    data = encode(picture(), None, format, PARAMETERS)
    assert decode(data).format == format
    assert read_parameters(data) == PARAMETERS


@given(
    st.sampled_from(FORMATS),
    st.dictionaries(st.text(max_size=20), st.text(max_size=200), max_size=6),
)
def test_any_text_survives_in_the_parameters(format: str, parameters: dict[str, str]) -> None:
    assert read_parameters(encode(picture(16, 16), None, format, parameters)) == parameters


@pytest.mark.parametrize(
    "data", [b"", b"hello", saved(picture()), saved(picture(), "JPEG"), saved(picture(), "WEBP")]
)
def test_a_file_that_is_not_ours_has_no_parameters(data: bytes) -> None:
    assert read_parameters(data) is None


@given(
    st.integers(16, 40),
    st.integers(16, 40),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_a_png_comes_back_bit_for_bit(width: int, height: int, seed: int, clear: bool) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    noise[..., 3] |= 1  # nothing fully transparent
    pixels = Image.fromarray(noise[..., :3].copy())
    alpha = Image.fromarray(noise[..., 3].copy()) if clear else None
    photo = decode(encode(pixels, alpha, "png", {}))
    assert difference(photo.pixels, pixels) == 0
    assert (photo.alpha is None) == (alpha is None)
    assert not (photo.alpha and alpha) or difference(photo.alpha, alpha) == 0


def test_a_jpeg_keeps_full_colour_resolution() -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = (255, 0, 0)
    stripes[:, 1::2] = (0, 0, 255)
    image = Image.fromarray(stripes)
    assert difference(decode(encode(image, None, "jpeg", {})).pixels, image) <= 16


def test_transparency_comes_back_in_webp_and_is_laid_on_white_in_jpeg() -> None:
    image, alpha = Image.new("RGB", (32, 32)), Image.new("L", (32, 32), 0)
    alpha.paste(200, (16, 0, 32, 32))
    webp = decode(encode(image, alpha, "webp", {}))
    assert webp.alpha is not None
    assert difference(webp.alpha, alpha) == 0
    jpeg = decode(encode(image, alpha, "jpeg", {}))
    assert jpeg.alpha is None
    assert jpeg.pixels.getpixel((4, 16)) == (255, 255, 255)


@pytest.mark.parametrize("format", FORMATS)
def test_where_a_photo_was_taken_never_travels_on(format: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    options = {"exif": exif, "icc_profile": red_and_green_swapped(), "comment": b"SecretPlace"}
    photo = decode(saved(picture(), format, **options))
    tainted = photo.pixels.copy()
    tainted.info = {"comment": b"SecretPlace", "icc_profile": b"SecretProfile"}
    for pixels in (photo.pixels, tainted):
        data = encode(pixels, None, format, {})
        assert b"Secret" not in data
        assert b"ICC" not in data
        with Image.open(BytesIO(data)) as image:
            assert not image.getexif().get_ifd(0x8825)


def test_the_same_picture_gives_the_same_bytes() -> None:
    for format in FORMATS:
        first, second = (encode(picture(), None, format, PARAMETERS) for _ in range(2))
        assert first == second


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="jpeg, png, webp"):
        encode(picture(), None, "gif", {})


@pytest.mark.parametrize(("format", "side"), [("webp", 16384), ("jpeg", 65501)])
def test_a_side_that_the_format_cannot_hold_is_refused(format: str, side: int) -> None:
    with pytest.raises(TooLarge, match=str(side)):
        encode(Image.new("RGB", (side, 16)), None, format, {})


def test_parameters_are_plain_json_that_other_tools_can_read() -> None:
    with Image.open(BytesIO(encode(picture(), None, "png", PARAMETERS))) as image:
        assert json.loads(image.info["wordbrush"]) == PARAMETERS


def test_every_format_has_its_media_type() -> None:
    assert [pictures.media_type(f) for f in FORMATS] == ["image/jpeg", "image/png", "image/webp"]
