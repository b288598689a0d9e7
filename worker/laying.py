"""A network's answer laid in the photo that it was asked for."""

from functools import partial

from torch import Tensor

from worker import crops, fullres
from worker.messages import Request
from worker.results import PREVIEW_SIDE, Laid
from worker.sources import Source, ground


def lay(
    request: Request, source: Source, image: Tensor, position: float | None, *, keeps_photo: bool
) -> Laid:
    """`image`, (3, S, S) in [-1, 1], carried to the photo's pixels; placed among them as it is
    where the network does not keep the photo. `position` is that of an interpolation's picture.
    """
    place = ground(source, position)
    laid = partial(fullres.carry, source=place.look) if keeps_photo else fullres.place
    picture = laid(
        place.photo.pixels,
        place.crop,
        answer=image,
        mask=place.mask,
        max_side=None if request.full_resolution else PREVIEW_SIDE,
        small=place.small,
    )
    alpha = place.photo.alpha and crops.shrink(place.photo.alpha, max(picture.size))
    return Laid(picture, alpha, source.photo.format, source.crop)
