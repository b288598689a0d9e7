"""Where each word looked, as pictures: one grey strip of all words a stage, cut when asked.

A caption of twenty words has twenty maps a stage, and people look at five of them. So the worker
writes one small file a stage, and the web process cuts out and enlarges the word that is asked for.
Free of torch. Shapes: T words, h w sides of a map.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

Floats = NDArray[np.float32]

SIDE = 256  # pixels, the long side of a heatmap as it is shown


def strengths(maps: Floats) -> tuple[float, ...]:
    """How far each of the words took places for itself, T numbers in [0, 1].

    maps: (T, h, w) weights that sum to 1 at each place. A word counts by what it has over an even
    share (1/T), on average over the places; the authors of AttnGAN rank words alike for figure 4,
    by the weight over 4/T, which a short caption never has.
    """
    even = 1 / len(maps)
    if even == 1:
        return (1.0,)
    over = np.maximum(maps - even, 0).mean(axis=(1, 2)) / (1 - even)
    return tuple(round(float(x), 4) for x in over)


def strip(maps: Floats) -> bytes:
    """(T, h, w) weights in [0, 1] -> PNG of h by T*w grey pixels, the words side by side.

    In each word's map black is its least weight and white its greatest, so that a weak word can be
    seen as well as a strong one. A map that varies by less than an even share of the attention
    (1/T) is stretched by that instead: a word that looked everywhere alike stays dark.
    """
    least = maps.min(axis=(1, 2), keepdims=True)
    range_ = np.maximum(maps.max(axis=(1, 2), keepdims=True) - least, 1 / len(maps))
    grey = np.rint((maps - least) / range_ * 255).astype(np.uint8)
    return _png(Image.fromarray(np.hstack(grey)))


def cut(data: bytes, word: int, count: int) -> bytes:
    """The map of one of `count` words in a strip: PNG, grey, enlarged smoothly to `SIDE`."""
    image = PngImageFile(BytesIO(data))
    width = image.width // count
    scale = SIDE / max(width, image.height)
    size = round(width * scale), round(image.height * scale)
    box = word * width, 0, (word + 1) * width, image.height
    return _png(image.crop(box).resize(size, Image.Resampling.BICUBIC))


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
