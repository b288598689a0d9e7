"""Objects of training pictures in other colours, so that shape does not tell colour.

No gull is red. A discriminator that sees photographs alone learns that "a red bird" is wrong of a
gull whatever its colour, so a generator gains nothing by making it red. Here the parts of an object
that have the colour of its caption are given another, or all of the object is, and the caption says
so.
Shapes: S image side in pixels.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

# What a pixel is painted with to have a colour, in [0, 1], where it is brightest.
PAINTS: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "red": (0.84, 0.10, 0.10),
        "yellow": (0.97, 0.85, 0.12),
        "white": (0.97, 0.97, 0.96),
        "purple": (0.50, 0.20, 0.65),
        "pink": (0.96, 0.55, 0.72),
        "orange": (0.96, 0.52, 0.08),
        "blue": (0.14, 0.34, 0.84),
        "green": (0.28, 0.62, 0.18),
        "black": (0.14, 0.14, 0.15),
        "grey": (0.50, 0.51, 0.53),
        "brown": (0.50, 0.32, 0.18),
    }
)
_KIN: Mapping[str, tuple[str, ...]] = MappingProxyType(  # what light makes of a colour
    {
        "red": ("orange", "pink"),
        "yellow": ("orange",),
        "orange": ("red", "yellow"),
        "pink": ("red",),
        "black": ("grey",),
        "white": ("grey",),
        "grey": ("black", "white"),
        "brown": ("orange",),
    }
)
_LEAST = 0.1  # share of an object that a colour must have to be its colour
_HUES = (  # degrees up to which a hue has a name, where a pixel is neither dark nor pale
    (14, "red"),
    (40, "orange"),
    (70, "yellow"),
    (165, "green"),
    (260, "blue"),
    (300, "purple"),
    (345, "pink"),
)
_BLACK_BELOW, _WHITE_ABOVE, _BROWN_BELOW = 0.25, 0.55, 0.6  # of value
_PALE_BELOW, _PINK_BELOW = 0.2, 0.5  # of saturation
_BROWN_FROM, _BROWN_TO = 8, 45  # degrees
_BRIGHTEST = 95  # percentile of a part's lightness that gets the whole paint
_LIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)  # Rec. 601


def colours(picture: NDArray[np.uint8], mask: NDArray[np.uint8]) -> frozenset[str]:
    """The names of the colours that the object in (S, S, 3), shown by mask (S, S), has."""
    inside = mask > 127
    named = _named(picture)[inside]
    return frozenset(name for name in PAINTS if np.mean(named == name) > _LEAST)


def recoloured(
    picture: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    old: str | None,
    new: str,
    *,
    kept: Collection[str] = (),
) -> NDArray[np.uint8]:
    """(S, S, 3) with what is `old` of the object, shown by mask (S, S), in `new`; light and shade
    stay. What light makes of `old` goes with it, unless that is among the colours that are `kept`.
    Without an `old` colour the object becomes `new` all over.
    """
    where = mask > 127
    if old is not None:
        parts = {old, *_KIN.get(old, ())} - set(kept)
        where &= np.isin(_named(picture), sorted(parts))
    if not where.any():
        return picture
    lightness = picture.astype(np.float32) @ _LIGHTNESS
    shade = np.clip(lightness / max(1, np.percentile(lightness[where], _BRIGHTEST)), 0, 1.1)
    if old is None:
        shade = np.sqrt(shade)  # of two colours the darker is not shade alone
    painted = np.clip(255 * np.array(PAINTS[new], np.float32) * shade[..., None], 0, 255)
    soft = Image.fromarray(where.astype(np.uint8) * 255).filter(ImageFilter.BoxBlur(1))
    share = np.asarray(soft)[..., None].astype(np.float32) / 255
    return np.rint(picture * (1 - share) + painted * share).astype(np.uint8)


def _named(picture: NDArray[np.uint8]) -> NDArray[np.str_]:
    """(S, S, 3) -> (S, S), what each pixel's colour is called."""
    hsv = np.asarray(Image.fromarray(picture).convert("HSV")).astype(np.float32) / 255
    hue, saturation, value = 360 * hsv[..., 0], hsv[..., 1], hsv[..., 2]
    by_hue = [hue < end for end, _ in _HUES]
    named = np.select(by_hue, [name for _, name in _HUES], default="red")
    named = np.where((named == "red") & (saturation < _PINK_BELOW), "pink", named)
    earthy = (hue >= _BROWN_FROM) & (hue < _BROWN_TO) & (value < _BROWN_BELOW)
    named = np.where(earthy, "brown", named)
    named = np.where(
        saturation < _PALE_BELOW, np.where(value > _WHITE_ABOVE, "white", "grey"), named
    )
    return np.where(value < _BLACK_BELOW, "black", named)
