"""The one door for pictures: what a person uploads comes in, what they get back goes out.

Free of torch. A picture is judged by its content, never by its name or content type. Inside,
every photograph is upright, RGB, sRGB and eight bits a channel, its transparency kept apart.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from types import MappingProxyType

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile, PngInfo
from PIL.WebPImagePlugin import WebPImageFile

from worker.crops import MIN_SIDE

MAX_BYTES = 25 * 2**20
MAX_PIXELS = 50_000_000
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
)

_MAX_WEBP_SIDE = 16383
_MAX_JPEG_SIDE = 65500
_MAX_SCANS = 100  # a progressive JPEG has about ten; hostile ones keep a decoder busy for minutes
_PARAMETERS = "wordbrush"  # key of our own text in a PNG
_ASCII = b"ASCII\0\0\0"  # how an EXIF UserComment says its encoding
_WHITE = (255, 255, 255)

# The plugins' own classes, for Image.open would also judge by its global limit and turn the
# JPEGs of many telephones (MPO: a photo and a thumbnail or a depth map) into a series.
_PLUGINS: Mapping[str, type[ImageFile.ImageFile]] = MappingProxyType(
    {"jpeg": JpegImageFile, "png": PngImageFile, "webp": WebPImageFile}
)
_OTHER_KINDS: Mapping[bytes, str] = MappingProxyType(
    {
        b"GIF8": "a GIF",
        b"BM": "a BMP",
        b"II*\0": "a TIFF or camera raw file",
        b"MM\0*": "a TIFF or camera raw file",
        b"<svg": "an SVG drawing",
        b"<?xml": "an SVG drawing or other XML",
        b"%PDF": "a PDF",
    }
)
_UPRIGHT: Mapping[int, Image.Transpose] = MappingProxyType(
    {  # EXIF orientation -> what undoes it
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)
_WARNING_FILTERS = Lock()  # Python's warning filters belong to the process, not to the thread


class BadPicture(ValueError):
    """The upload can't be used; the message says why and what is wanted."""


class NotAPicture(BadPicture):
    """Neither JPEG, PNG nor WebP."""


class TooLarge(BadPicture):
    """More bytes or pixels than are taken."""


class TooSmall(BadPicture):
    """A side is shorter than `MIN_SIDE`."""


class Animated(BadPicture):
    """More than one frame."""


class Broken(BadPicture):
    """Cut short or damaged."""


@dataclass(frozen=True)
class Photo:
    """A decoded upload."""

    pixels: Image.Image  # RGB, upright, sRGB
    alpha: Image.Image | None  # L, of the same size; None where nothing is transparent
    format: str  # as it came: jpeg, png or webp


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> Photo:
    """The picture in `data`. Size and kind are checked before a pixel is decoded.

    A pixel that is fully transparent becomes white: its hidden colour was never meant to be seen.

    Raises:
        BadPicture: as one of NotAPicture, TooLarge, TooSmall, Animated, Broken.
    """
    if len(data) > max_bytes:
        raise TooLarge(f"{len(data):,} bytes are too many, at most {max_bytes:,} are taken")
    kind = _kind(data)
    image, orientation = _header(data, kind)
    _check_size(image.size, max_pixels)
    if kind != "jpeg" and getattr(image, "is_animated", False):
        raise Animated("the picture is animated, wanted one still frame")
    with _damage_as_broken():
        image.load()
        colours, alpha = _apart(image)
        pixels = _srgb(colours, image.info.get("icc_profile"))
    if alpha is not None:
        pixels.paste(_WHITE, mask=alpha.point([255] + [0] * 255))
    if orientation in _UPRIGHT:
        pixels = pixels.transpose(_UPRIGHT[orientation])
        alpha = alpha and alpha.transpose(_UPRIGHT[orientation])
    return Photo(_bare(pixels), alpha and _bare(alpha), kind)


def encode(
    pixels: Image.Image, alpha: Image.Image | None, format: str, parameters: Mapping[str, str]
) -> bytes:
    """A file of kind `format` with `parameters` inside and nothing else of the photo's metadata.

    JPEG has no transparency: there the picture is laid on white.

    Raises:
        TooLarge: a side is longer than the format can hold.
    """
    limit = {"webp": _MAX_WEBP_SIDE, "jpeg": _MAX_JPEG_SIDE}.get(format)
    if limit and max(pixels.size) > limit:
        raise TooLarge(f"{format} holds at most {limit} pixels a side, wanted {max(pixels.size)}")
    file, text = BytesIO(), json.dumps(dict(parameters))
    image = _joined(pixels, alpha, format)
    image = _bare(image) if image.info else image  # Pillow would write comment and profile
    match format:
        case "jpeg":
            image.save(file, "JPEG", quality=95, subsampling="4:4:4", exif=_exif(text))
        case "png":  # level 1: 0.5 s for 12 megapixels, a fifth larger than level 6 with its 2 s
            info = PngInfo()
            info.add_text(_PARAMETERS, text)
            image.save(file, "PNG", compress_level=1, pnginfo=info)
        case "webp":  # method 2: as small as method 4 in half the time
            image.save(file, "WEBP", quality=92, method=2, exif=_exif(text))
        case _:
            raise ValueError(f"format must be one of {', '.join(MEDIA_TYPES)}, not {format!r}")
    return file.getvalue()


def read_parameters(data: bytes) -> dict[str, str] | None:
    """What `encode` wrote into a file; None where there is nothing of ours."""
    try:
        image, _ = _header(data, _kind(data))
        with _silenced(), _damage_as_broken():
            exif = image.getexif().get_ifd(ExifTags.IFD.Exif)
            comment = exif.get(ExifTags.Base.UserComment, b"")
            text = image.info.get(_PARAMETERS) or comment.removeprefix(_ASCII)
            found = json.loads(text)
    except BadPicture:
        return None
    return found if isinstance(found, dict) else None


def media_type(format: str) -> str:
    """jpeg -> image/jpeg, and so on for the formats that `encode` writes."""
    return MEDIA_TYPES[format]


def _kind(data: bytes) -> str:
    """jpeg, png or webp, by the first bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    raise NotAPicture(f"this is {_other_kind(data)}, wanted a JPEG, PNG or WebP picture")


def _other_kind(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file"
    known = (name for magic, name in _OTHER_KINDS.items() if data.lstrip().startswith(magic))
    return next(known, "an unknown kind of file" if data else "an empty file")


def _header(data: bytes, kind: str) -> tuple[ImageFile.ImageFile, int]:
    """The opened picture, not yet decoded, and its EXIF orientation (1: upright)."""
    if kind == "jpeg" and data.count(b"\xff\xda") > _MAX_SCANS:
        raise Broken(f"the JPEG has more than {_MAX_SCANS} scans")
    with _silenced(), _damage_as_broken():
        image = _PLUGINS[kind](BytesIO(data))
        try:
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        except Exception:  # damaged EXIF: the picture itself may well be whole
            orientation = 1
    return image, orientation


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise TooLarge(
            f"{width} x {height} pixels are too many, at most {max_pixels:,} in all are taken"
        )
    if min(size) < MIN_SIDE:
        raise TooSmall(f"{width} x {height} pixels are too few, wanted at least {MIN_SIDE} a side")


@contextmanager
def _silenced() -> Iterator[None]:
    """Pillow warns of damaged metadata; nobody who could mend it would read that."""
    with _WARNING_FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _damage_as_broken() -> Iterator[None]:
    try:
        yield
    except (BadPicture, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise TooLarge(f"too many pixels, at most {MAX_PIXELS:,} are taken") from error
    except Exception as error:  # on damage Pillow raises nearly every built-in exception
        raise Broken("the picture is cut short or damaged and can't be decoded") from error


def _apart(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Colours (L, RGB or CMYK, as an ICC profile would want them) and transparency (L)."""
    if image.mode == "I;16":
        return _from_sixteen_bits(image)
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        if alpha.getextrema() == (255, 255):
            alpha = None
    if image.mode in ("1", "L"):
        return image.convert("L"), alpha
    return (image if image.mode == "CMYK" else _rgb(image)), alpha


def _from_sixteen_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Grey of 16 bits scaled to 8, not clipped; the one grey that is marked transparent, if any."""
    grey = np.asarray(image)
    key = image.info.get("transparency")
    alpha = None if key is None else Image.fromarray(np.where(grey == key, 0, 255).astype(np.uint8))
    eight = (grey.astype(np.uint32) * 255 + 32895) >> 16  # v / 257, rounded
    return Image.fromarray(eight.astype(np.uint8)), alpha


def _srgb(colours: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in sRGB; a profile that is broken or for another kind of colours is ignored."""
    if not profile:
        return _rgb(colours)
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        to_srgb = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), colours.mode, "RGB"
        )
        if colours.mode == "RGB" and _changes_nothing(to_srgb):
            return colours
        converted = ImageCms.applyTransform(colours, to_srgb)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return _rgb(colours)
    return converted or _rgb(colours)


def _rgb(image: Image.Image) -> Image.Image:
    """As `convert`, which would copy even where there is nothing to convert."""
    return image if image.mode == "RGB" else image.convert("RGB")


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether it is sRGB to sRGB, as in most photos, which need not be converted then."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    after = ImageCms.applyTransform(Image.fromarray(colours), transform)
    return int(np.abs(np.asarray(after).astype(int) - colours).max()) <= 2


def _joined(pixels: Image.Image, alpha: Image.Image | None, format: str) -> Image.Image:
    if alpha is None:
        return pixels
    if format == "jpeg":
        return Image.composite(pixels, Image.new("RGB", pixels.size, _WHITE), alpha)
    return Image.merge("RGBA", (*pixels.split(), alpha))


def _bare(image: Image.Image) -> Image.Image:
    """A copy without metadata: comment, profile or position must not travel on."""
    bare = image.copy()
    bare.info = {}
    return bare


def _exif(text: str) -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = _ASCII + text.encode("ascii")
    return exif
