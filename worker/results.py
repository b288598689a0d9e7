"""A network's answers to files in the store: pictures at full resolution, stages, heatmaps.

Shapes: V pictures of one request, T words, S image side, h w sides of an attention map.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from models.base import Output, Prepared
from models.pictures import to_picture
from models.text.vocabulary import tokenize
from worker import fullres, heatmaps, pictures
from worker.messages import Crop, HeatmapFile, OutputFile, Request
from worker.pictures import Photo
from worker.store import Store

PREVIEW_SIDE = 768  # pixels, the long side of a result that is not asked for in full resolution


@dataclass(frozen=True)
class Source:
    """The part of a request that comes from a photo."""

    photo: Photo
    crop: Crop
    mask: Image.Image | None  # L, of the photo's size
    prepared: Prepared  # of one picture


@dataclass(frozen=True)
class Answer:
    """What a network made of one request."""

    output: Output  # V pictures
    mask: Tensor  # (V, T) bool, True at a word that was read


def write(
    store: Store, request: Request, source: Source | None, answer: Answer, number: int
) -> OutputFile:
    """One of the answer's pictures, with all that can be told of it."""
    output, seed = answer.output, request.seed + number
    image = output.image[number]
    picture, alpha = _carried(request, source, image)
    kind = request.format or (source.photo.format if source else "png")
    parameters = _parameters(request, source, seed)
    data = pictures.encode(picture, alpha, kind, parameters)

    def keep_small(tensor: Tensor) -> str:
        small = pictures.encode(to_picture(tensor), None, "png", parameters)
        return store.put(small, kind="results", suffix=".png")

    return OutputFile(
        image=store.put(data, kind="results", suffix=f".{kind}"),
        media_type=pictures.media_type(kind),
        width=picture.width,
        height=picture.height,
        seed=seed,
        network_image=keep_small(image),
        stages=tuple(keep_small(stage[number]) for stage in output.stages),
        words=_words(request, answer, number),
        heatmaps=tuple(_heatmaps(store, answer, number)),
        scores=_scores(answer, number),
    )


def _words(request: Request, answer: Answer, number: int) -> tuple[str, ...]:
    """The caption as the model read it: without what came after its last word, if anything did."""
    if not answer.output.attention and answer.output.scores is None:
        return ()
    return tuple(tokenize(request.caption)[: int(answer.mask[number].sum())])


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


def _carried(
    request: Request, source: Source | None, image: Tensor
) -> tuple[Image.Image, Image.Image | None]:
    """The finished picture and its transparency, of one size."""
    if source is None:
        return to_picture(image), None
    picture = fullres.carry(
        source.photo.pixels,
        source.crop,
        source.prepared.image[0],
        image,
        mask=source.mask,
        max_side=None if request.full_resolution else PREVIEW_SIDE,
    )
    alpha = source.photo.alpha
    return picture, alpha and fullres.shrink(alpha, max(picture.size))


def _parameters(request: Request, source: Source | None, seed: int) -> dict[str, str]:
    """What it takes to make the picture again; written into it."""
    parameters = {
        "task": request.task.value,
        "model": request.model,
        "caption": request.caption,
        "seed": str(seed),
    }
    if source is not None:
        crop = source.crop
        parameters["crop"] = f"{crop.left},{crop.top},{crop.width},{crop.height}"
    return parameters
