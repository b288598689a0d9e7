"""A network's small answer, carried to the photograph's own pixels.

The networks see S = 64 to 256 pixels a side, a photograph has millions. So the answer is not
pasted, it is read as a recipe: around each pixel at model size, change ~ A * colour + b, fitted
as in the guided filter of He, Sun and Tang (2010). A and b are smoothed, upsampled and applied
to the original's own pixels, which keep their sharpness.

Not from the paper: the *change* is fitted, not the answer, so that where nothing changes A and b
are zero and the photo stays as it is, bit for bit; source and answer are blurred first, which
takes out a checkerboard of the network, and their outermost pixels are not read; small changes
are taken for the network's inaccuracy and dropped, and so is a faint one where most of what has the
same colour stays (the glow of an object on its ground); where the fit is poor, because a shape and
not a colour is new, what it leaves over is added to b. And which pixels change at all is fitted by
colour, too: a gate, which ends the change at the object's own edge in the photo.

Shapes: S model side, H W pixels of the photo; colours are RGB. Small side in torch, [-1, 1];
full size in numpy, [0, 255], in strips that stay in the processor's cache.
"""

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageChops
from torch import Tensor

from models.pictures import to_picture
from worker import crops
from worker.messages import Crop

Floats = NDArray[np.float32]

_WINDOW = 9 / 64  # of the crop's side; smaller follows the answer's detail, larger its main colour
_EPS = 0.01  # a variance in [-1, 1]: a surface plainer than that gets an even change
_UNTOUCHED, _CHANGED = 0.2, 0.5  # of the largest change: below the one nothing, above the other all
_SURROUNDINGS = 41 / 64  # of the crop's side: where it is asked what else has a pixel's colour
_FEW, _MANY = 0.3, 0.6  # share of it that changes: below the one the pixel stays, too
_FAINT, _STRONG = 0.7, 1.0  # of the largest change: a strong one needs no others of its colour
_SHUT, _OPEN = (
    0.2,
    0.6,
)  # of the gate, as fitted: below the one nothing changes, above the other all
_LEAST_PEAK, _MOST_PEAK = 0.05, 0.5  # bounds of what counts as the largest change, in [-1, 1]
_GOOD_FIT, _POOR_FIT = 0.1, 0.3  # share of a change that the fit leaves over
_FRAME = 1 / 32  # of the side: along its edges networks change too little, they are not read
_FEATHER = 1 / 16  # of the crop's side: the ramp inside an edge that cuts through the photo
_STRIP_ROWS = 32


def look(photo: Image.Image, crop: Crop, side: int) -> Tensor:
    """What the network sees of the photo: (3, side, side) in [-1, 1]."""
    small = crops.resized(photo, crop, (side, side))
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).float().div_(127.5).sub_(1)


def carry(
    photo: Image.Image,
    crop: Crop,
    source: Tensor,
    answer: Tensor,
    *,
    mask: Image.Image | None = None,
    max_side: int | None = None,
    small: Image.Image | None = None,
) -> Image.Image:
    """The photo with the change from `source` to `answer`, both (3, S, S) in [-1, 1], in its crop.

    Outside the crop, and where the mask (L, of the photo's size) is black, nothing changes by a
    bit. With `max_side` the result is smaller, for previews; `small` is then the photo so small
    already, where somebody has it.

    Raises:
        ValueError: the mask has another size than the photo.
    """
    photo, crop, mask = _at_most(max_side, photo, crop, mask, small)
    return _applied(photo, crop, recipe(source, answer), mask)


def place(
    photo: Image.Image,
    crop: Crop,
    answer: Tensor,
    *,
    mask: Image.Image | None = None,
    max_side: int | None = None,
    small: Image.Image | None = None,
) -> Image.Image:
    """The photo with `answer`, (3, S, S) in [-1, 1], in its crop: for networks that draw anew.

    Such an answer has nothing of the photo's own pixels to carry it to: it is enlarged smoothly and
    fades in at edges that cut through the photo. Crop, mask, `max_side` and `small` are as for
    `carry`.

    Raises:
        ValueError: the mask has another size than the photo.
    """
    photo, crop, mask = _at_most(max_side, photo, crop, mask, small)
    size = crop.width, crop.height
    across = _fade(crop.left, crop.width, photo.width)
    down = _fade(crop.top, crop.height, photo.height)
    weight = ImageChops.multiply(_grey(across[None], size), _grey(down[:, None], size))
    if mask is not None:
        weight = ImageChops.multiply(weight, mask.crop(crops.box(crop)))
    result = photo.copy()
    drawn = to_picture(answer).resize(size, Image.Resampling.BICUBIC)
    result.paste(drawn, (crop.left, crop.top), weight)
    return result


def _at_most(
    max_side: int | None,
    photo: Image.Image,
    crop: Crop,
    mask: Image.Image | None,
    small: Image.Image | None,
) -> tuple[Image.Image, Crop, Image.Image | None]:
    """All three for a photo that has at most `max_side` pixels on its long side."""
    if mask is not None and mask.size != photo.size:
        raise ValueError(f"the mask is {mask.size} pixels, wanted the photo's {photo.size}")
    if max_side is None or max_side >= max(photo.size):
        return photo, crop, mask
    crop = crops.scaled(crop, max_side / max(photo.size))
    photo, mask = small or crops.shrink(photo, max_side), mask and crops.shrink(mask, max_side)
    return photo, crops.inside(crop, photo), mask


@torch.inference_mode()
def recipe(source: Tensor, answer: Tensor) -> Tensor:
    """(16, S, S): at each pixel A, three by three (from channel first), and b, in [-1, 1]; then
    the gate's three shares of the colour and its offset, which give 0 where nothing changes and 1
    where all of the change is meant."""
    side = source.shape[-1]
    window = _odd(side * _WINDOW)
    frame = int(side * _FRAME)
    inner = slice(frame, side - frame)
    source, change = (_blurred(x)[:, inner, inner] for x in (source, answer - source))
    matrix, offset = _fit(source, change, window)
    trust = _trust(source, _predicted(matrix, offset, source), side)
    change = change * trust
    matrix, offset = _fit(source, torch.cat([change, trust]), window)
    gate = torch.cat([matrix[:, 3], offset[3:]])
    matrix, offset = matrix[:, :3], offset[:3]
    offset = offset + _left_over(change, _predicted(matrix, offset, source))
    inside = torch.cat([matrix.flatten(0, 1), offset, gate])
    return F.pad(inside[None], (frame, frame, frame, frame), mode="replicate")[0]


def _fit(source: Tensor, target: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """A (3 from, K to, S, S) and b (K, S, S) of the best fit in each window, smoothed over it.

    source: (3, S, S); target: (K, S, S).
    """
    side = source.shape[-1]
    both = torch.cat([source, target])  # (3 + K, S, S)
    mean = _box_mean(both, window)
    products = _box_mean((source[:, None] * both).flatten(0, 1), window).view(3, -1, side, side)
    covariance = products - mean[:3, None] * mean  # (3, 3 + K, S, S)
    matrix = _solved(covariance[:, :3], covariance[:, 3:])
    offset = mean[3:] - (matrix * mean[:3, None]).sum(0)
    smooth = _box_mean(torch.cat([matrix.flatten(0, 1), offset]), window)
    return smooth[: -len(offset)].view(3, -1, side, side), smooth[-len(offset) :]


def _solved(left: Tensor, right: Tensor) -> Tensor:
    """X (3, K, S, S) of (left + eps) X = right at each pixel.

    left: (3, 3, S, S), symmetric; right: (3, K, S, S).
    By LDL', each step for all pixels at once: LAPACK takes one pixel after another.
    """
    a, d, f = (left[i, i] + _EPS for i in range(3))
    b, c, e = left[0, 1], left[0, 2], left[1, 2]
    under_a, beside_a = b / a, c / a
    d = d - under_a * b
    e = e - beside_a * b
    under_d = e / d
    f = f - beside_a * c - under_d * e
    first = right[0]
    second = right[1] - under_a * first
    third = (right[2] - beside_a * first - under_d * second) / f
    second = second / d - under_d * third
    first = first / a - under_a * second - beside_a * third
    return torch.stack([first, second, third])


def _predicted(matrix: Tensor, offset: Tensor, source: Tensor) -> Tensor:
    return (matrix * source[:, None]).sum(0) + offset


def _trust(source: Tensor, change: Tensor, side: int) -> Tensor:
    """(1, S, S) in [0, 1]: 0 where the change is small beside the largest one in the picture, and
    where it is faint while most of what has the same colour around it stays.

    No network gives a background back exactly; a person means that it should stay.
    """
    size = _box_mean(change.square().mean(0, keepdim=True), _odd(side * _WINDOW / 2)).sqrt()
    size = size / size.quantile(0.99).clamp(_LEAST_PEAK, _MOST_PEAK)
    trust = _smoothstep(size, _UNTOUCHED, _CHANGED)
    alike = _predicted(*_fit(source, trust, _odd(side * _SURROUNDINGS)), source)
    meant = torch.maximum(_smoothstep(alike, _FEW, _MANY), _smoothstep(size, _FAINT, _STRONG))
    return trust * meant


def _left_over(change: Tensor, predicted: Tensor) -> Tensor:
    """What the fit misses, where that is much of the change: there a shape is new, not a colour."""
    rest = change - predicted
    energy = torch.stack([rest.square().sum(0), change.square().sum(0)])
    missed, whole = _box_mean(energy, 5)
    share = _box_mean((missed / (whole + _EPS))[None], 3)
    return _blurred(_smoothstep(share, _GOOD_FIT, _POOR_FIT) * rest)


def _applied(
    photo: Image.Image, crop: Crop, small: Tensor, mask: Image.Image | None
) -> Image.Image:
    """The recipe (16, S, S) upsampled bilinearly to the crop and applied to its pixels."""
    across = _bilinear(crop.width, small.shape[-1])
    wide = _for_levels(small).permute(1, 0, 2).cpu() @ across  # (S, 16, W)
    wide[:, :12] *= _fade(crop.left, crop.width, photo.width)
    down = _fade(crop.top, crop.height, photo.height).numpy()
    shares = _bilinear(crop.height, len(wide)).T.contiguous()  # (H, S)
    result = photo.copy()
    for first in range(0, crop.height, _STRIP_ROWS):
        last = min(first + _STRIP_ROWS, crop.height)
        rows = _between(shares[first:last])
        used = np.flatnonzero(wide[rows, :12].numpy().any(axis=(0, 1)))
        if not used.size:
            continue
        left, right = int(used[0]), int(used[-1]) + 1
        place = (crop.left + left, crop.top + first, crop.left + right, crop.top + last)
        weight = down[first:last, None]
        if mask is not None:
            weight = weight * (np.asarray(mask.crop(place)) / np.float32(255))
        strip = _changed(
            photo.crop(place), wide[rows, :, left:right], shares[first:last, rows], weight
        )
        result.paste(strip, place)
    return result


def _for_levels(small: Tensor) -> Tensor:
    """The recipe for colours and changes in [0, 255], its gate shut below 0 and open above 1."""
    matrix, offset, gate, bias = small.split([9, 3, 3, 1])
    offset = 127.5 * (offset - matrix.view(3, 3, *matrix.shape[1:]).sum(0))
    bias = bias - gate.sum(0, keepdim=True) - _SHUT
    return torch.cat([matrix, offset, torch.cat([gate / 127.5, bias]) / (_OPEN - _SHUT)])


def _changed(pixels: Image.Image, columns: Tensor, shares: Tensor, weight: Floats) -> Image.Image:
    """A strip changed by coefficients between rows of the recipe.

    columns: (R, 16, W), the rows; shares: (h, R), of each row in each line of the strip; weight:
    (h, 1) or (h, W) in [0, 1].
    """
    colours = [np.asarray(band).astype(np.float32) for band in pixels.split()]
    between = torch.empty(pixels.height, pixels.width)
    coefficient = between.numpy()  # the same memory

    def mixed(offset: Tensor, coefficients: Tensor) -> Floats:
        """(h, W): the colours times their coefficients (3, R, W), and the offset (R, W)."""
        total: Floats = torch.mm(shares, offset).numpy()
        for colour, column in zip(colours, coefficients, strict=True):
            torch.mm(shares, column, out=between)
            np.multiply(coefficient, colour, out=coefficient)
            total += coefficient
        return total

    columns = columns.transpose(0, 1)  # (16, R, W)
    gate = mixed(columns[15], columns[12:15])
    gate.clip(0, 1, out=gate)
    gate *= weight
    bands = []
    for to, colour in enumerate(colours):
        change = mixed(columns[9 + to], columns[to:9:3])
        change *= gate
        change += colour
        change += 0.5  # rounds, for what follows cuts the fraction off
        bands.append(Image.fromarray(change.clip(0, 255, out=change).astype(np.uint8)))
    return Image.merge("RGB", bands)


def _between(shares: Tensor) -> slice:
    """The rows of the recipe that count in some lines of the crop, by their shares (h, S)."""
    counting = shares.any(0).nonzero()
    return slice(int(counting[0]), int(counting[-1]) + 1)


def _position(pixels: NDArray[np.int64], length: int, side: int) -> Floats:
    """Where pixels of a line of `length` lie on one of `side`, by their centres, ends held."""
    centres: Floats = ((pixels + 0.5) * side / length - 0.5).clip(0, side - 1).astype(np.float32)
    return centres


def _bilinear(length: int, side: int) -> Tensor:
    """(side, length): the share of each recipe pixel in each photo pixel along a line."""
    position = torch.from_numpy(_position(np.arange(length), length, side))
    distance = (torch.arange(side)[:, None] - position).abs()
    return (1 - distance).clamp(min=0)


def _fade(start: int, length: int, whole: int) -> Tensor:
    """(length,) in [0, 1]: 1, but falling towards an end that is not the photo's own edge."""
    ramp = max(1.0, length * _FEATHER)
    inwards = torch.arange(length) + 0.5
    fade = torch.ones(length)
    if start > 0:
        fade = fade * _smoothstep(inwards / ramp, 0, 1)
    if start + length < whole:
        fade = fade * _smoothstep(inwards.flip(0) / ramp, 0, 1)
    return fade


def _grey(share: Tensor, size: tuple[int, int]) -> Image.Image:
    """(1, w) or (h, 1) in [0, 1] -> L of width and height `size`, the same along the other side."""
    line = Image.fromarray(share.mul(255).round().to(torch.uint8).numpy())
    return line.resize(size, Image.Resampling.NEAREST)


def _box_mean(x: Tensor, window: int) -> Tensor:
    """(C, S, S): the mean over a square window around each pixel, cut off at the edges."""
    average = _averaging(x.shape[-1], window, x.device)
    return average @ x @ average.T


@cache
def _averaging(side: int, window: int, device: torch.device) -> Tensor:
    """(S, S): the share of each pixel of a line in the mean around each pixel."""
    index = torch.arange(side, device=device)
    near = ((index[:, None] - index).abs() <= window // 2).float()
    return near / near.sum(1, keepdim=True)


def _blurred(x: Tensor) -> Tensor:
    """(C, S, S) under the binomial kernel 1 2 1, which takes a checkerboard out altogether."""
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    down = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    return (down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]) / 16


def _smoothstep(x: Tensor, low: float, high: float) -> Tensor:
    """0 up to `low`, 1 from `high`, smooth between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def _odd(pixels: float) -> int:
    """The odd number of pixels nearest to `pixels`, at least 3."""
    return max(3, 2 * int(pixels / 2) + 1)
