"""A network's answers to files in the store: pictures at full resolution, stages, heatmaps.

Shapes: V pictures of one request, T words, S image side, h w sides of an attention map.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from PIL import Image
from torch import Tensor

from models.base import Output
from models.pictures import to_picture
from models.text.vocabulary import tokenize
from worker import fullres, heatmaps, pictures
from worker.messages import Crop, Draw, HeatmapFile, OutputFile, Request
from worker.objects import Found
from worker.sources import Ground, Source, ground
from worker.store import Store

PREVIEW_SIDE = 768  # pixels, the long side of a result that is not asked for in full resolution


@dataclass(frozen=True)
class Answer:
    """What a network made of one request."""

    output: Output  # V pictures
    mask: Tensor  # (V, T) bool, True at a word that was read
    parts: tuple[int, ...]  # how many of the T places each caption has
    keeps_photo: bool  # it is to be carried to the photo; else it is drawn anew


def write(
    store: Store, request: Request, source: Source | None, answer: Answer, number: int
) -> tuple[OutputFile, Image.Image]:
    """One of the answer's pictures with all that can be told of it, and the picture itself."""
    output, draw = answer.output, request.draws[number]
    image = output.image[number]
    place = ground(source, draw.position) if source else None
    picture, alpha = _laid(request, place, answer, image)
    kind = request.format or (source.photo.format if source else "png")
    parameters = _parameters(request, source, draw)
    data = pictures.encode(picture, alpha, kind, parameters)

    def keep_small(tensor: Tensor) -> str:
        small = pictures.encode(to_picture(tensor), None, "png", parameters)
        return store.put(small, kind="results", suffix=".png")

    kept = store.put(data, kind="results", suffix=f".{kind}")
    file = OutputFile(
        image=kept,
        media_type=pictures.media_type(kind),
        width=picture.width,
        height=picture.height,
        seed=draw.seed,
        network_image=kept if place is None and kind == "png" else keep_small(image),
        stages=tuple(keep_small(stage[number]) for stage in output.stages),
        words=_words(request, answer, number),
        heatmaps=tuple(_heatmaps(store, answer, number)),
        scores=_scores(answer, number),
        position=draw.position,
    )
    return file, picture


def write_mask(store: Store, request: Request, crop: Crop, found: Found) -> OutputFile:
    """The mask of an object, and what the network said at its own size."""
    parameters = {"task": request.task.value, "model": request.model, "crop": _text(crop)}

    def keep(mask: Image.Image) -> str:
        data = pictures.encode(mask, None, "png", parameters)
        return store.put(data, kind="results", suffix=".png")

    return OutputFile(
        image=keep(found.mask),
        media_type=pictures.media_type("png"),
        width=found.mask.width,
        height=found.mask.height,
        seed=request.seed,
        network_image=keep(found.small),
    )


def _words(request: Request, answer: Answer, number: int) -> tuple[str, ...]:
    """The caption as the model read it: without what came after its last word, if anything did.

    Between two captions those of the first, then those of the second.
    """
    if not answer.output.attention and answer.output.scores is None:
        return ()
    read = torch.split(answer.mask[number], list(answer.parts))
    captions = (request.caption, request.caption_to or request.caption)
    pairs = zip(captions, read, strict=False)  # one part, where nothing is mixed
    return tuple(word for text, mask in pairs for word in tokenize(text)[: int(mask.sum())])


def _heatmaps(store: Store, answer: Answer, number: int) -> Iterator[HeatmapFile]:
    read = answer.mask[number]
    for stage in answer.output.attention:
        maps = stage[number][read].float().cpu().numpy()
        file = store.put(heatmaps.strip(maps), kind="results", suffix=".png")
        yield HeatmapFile(file, heatmaps.strengths(maps))


def _scores(answer: Answer, number: int) -> tuple[float, ...]:
    if answer.output.scores is None:
        return ()
    return tuple(round(s, 4) for s in answer.output.scores[number][answer.mask[number]].tolist())


def _laid(
    request: Request, place: Ground | None, answer: Answer, image: Tensor
) -> tuple[Image.Image, Image.Image | None]:
    """The finished picture and its transparency, of one size."""
    if place is None:
        return to_picture(image), None
    pixels, crop = place.photo.pixels, place.crop
    laid = partial(fullres.carry, source=place.look) if answer.keeps_photo else fullres.place
    picture = laid(
        pixels,
        crop,
        answer=image,
        mask=place.mask,
        max_side=None if request.full_resolution else PREVIEW_SIDE,
        small=place.small,
    )
    alpha = place.photo.alpha
    return picture, alpha and fullres.shrink(alpha, max(picture.size))


def _parameters(request: Request, source: Source | None, draw: Draw) -> dict[str, str]:
    """What it takes to make the picture again; written into it."""
    parameters = {
        "task": request.task.value,
        "model": request.model,
        "caption": request.caption,
        "seed": str(draw.seed),
    }
    if source is not None:
        parameters["crop"] = _text(source.crop)
    if draw.position is not None:
        parameters["position"] = f"{draw.position:g}"
        if request.caption_to is not None:
            parameters["caption_to"] = request.caption_to
    return parameters


def _text(crop: Crop) -> str:
    return f"{crop.left},{crop.top},{crop.width},{crop.height}"
