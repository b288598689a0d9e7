"""What a network made of requests, as files in the store: pictures, stages, heatmaps.

Free of torch: the process that writes the drawings of batches (worker/scribe.py) has none.
Shapes: V pictures of one request or of several, T words, S image side, h w sides of an attention
map.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.text.vocabulary import tokenize
from worker import animation, crops, heatmaps, pictures
from worker.heatmaps import Floats
from worker.messages import Crop, Draw, HeatmapFile, OutputFile, Request, Result
from worker.store import Store

PREVIEW_SIDE = 768  # pixels, the long side of a result that is not asked for in full resolution

Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class Answer:
    """What a network drew, and what it can tell of it."""

    images: Levels  # (V, S, S, 3)
    stages: tuple[Levels, ...]  # earlier pictures, (V, s, s, 3) each, smallest first
    attention: tuple[Floats, ...]  # (V, T, h, w) each, in [0, 1]: where each word looked
    scores: Floats | None  # (V, T) in [0, 1], how far each word is obeyed
    mask: NDArray[np.bool_]  # (V, T), True at a word that was read
    parts: tuple[int, ...]  # how many of the T places each caption has

    def split(self, counts: Sequence[int]) -> list["Answer"]:
        """The first `counts[0]` pictures, the next `counts[1]`, and so on."""
        ends = np.cumsum(counts).tolist()
        return [self._between(a, b) for a, b in zip([0, *ends], ends, strict=False)]

    def _between(self, start: int, end: int) -> "Answer":
        return Answer(
            self.images[start:end],
            tuple(stage[start:end] for stage in self.stages),
            tuple(maps[start:end] for maps in self.attention),
            None if self.scores is None else self.scores[start:end],
            self.mask[start:end],
            self.parts,
        )


Drawing = tuple[Request, Answer]  # from words alone: all that it takes to write it


@dataclass(frozen=True)
class Laid:
    """One of an answer's pictures, laid in the photo."""

    picture: Image.Image
    alpha: Image.Image | None  # L, of the same size; None where nothing is transparent
    format: str  # of the photo's file
    crop: Crop


def _drawn(number: int) -> None:
    """A picture from words alone is laid in nothing."""


def write_all(
    store: Store,
    request: Request,
    answer: Answer,
    *,
    lay: Callable[[int], Laid | None] = _drawn,
    before: Callable[[int], None] = lambda number: None,
) -> Result:
    """All pictures of a request. `lay` gives each as it lies in the photo, if there is one;
    `before` is called before each, and ends it all by raising.
    """
    files: list[OutputFile] = []
    frames: list[Image.Image] = []
    for number in range(len(answer.images)):
        before(number)
        file, picture = write(store, request, answer, number, lay(number))
        files.append(file)
        if file.position is not None:
            frames.append(crops.shrink(picture, animation.SIDE))
    return Result(tuple(files), animation=_animation(store, frames) if frames else None)


def write(
    store: Store, request: Request, answer: Answer, number: int, laid: Laid | None = None
) -> tuple[OutputFile, Image.Image]:
    """One of the answer's pictures with all that can be told of it, and the picture itself."""
    draw, small = request.draws[number], Image.fromarray(answer.images[number])
    picture, alpha = (laid.picture, laid.alpha) if laid else (small, None)
    kind = request.format or (laid.format if laid else "png")
    parameters = _parameters(request, laid, draw)
    data = pictures.encode(picture, alpha, kind, parameters)

    def keep_small(drawn: Image.Image) -> str:
        encoded = pictures.encode(drawn, None, "png", parameters)
        return store.put(encoded, kind="results", suffix=".png")

    kept = store.put(data, kind="results", suffix=f".{kind}")
    file = OutputFile(
        image=kept,
        media_type=pictures.media_type(kind),
        width=picture.width,
        height=picture.height,
        seed=draw.seed,
        network_image=kept if laid is None and kind == "png" else keep_small(small),
        stages=tuple(keep_small(Image.fromarray(stage[number])) for stage in answer.stages),
        words=_words(request, answer, number),
        heatmaps=tuple(_heatmaps(store, answer, number)),
        scores=_scores(answer, number),
        position=draw.position,
    )
    return file, picture


def write_mask(
    store: Store, request: Request, crop: Crop, *, mask: Image.Image, small: Image.Image
) -> OutputFile:
    """The mask of an object, and what the network said at its own size."""
    parameters = {"task": request.task.value, "model": request.model, "crop": _text(crop)}

    def keep(picture: Image.Image) -> str:
        data = pictures.encode(picture, None, "png", parameters)
        return store.put(data, kind="results", suffix=".png")

    return OutputFile(
        image=keep(mask),
        media_type=pictures.media_type("png"),
        width=mask.width,
        height=mask.height,
        seed=request.seed,
        network_image=keep(small),
    )


def _animation(store: Store, frames: Sequence[Image.Image]) -> str:
    return store.put(animation.animate(frames), kind="results", suffix=".webp")


def _words(request: Request, answer: Answer, number: int) -> tuple[str, ...]:
    """The caption as the model read it: without what came after its last word, if anything did.

    Between two captions those of the first, then those of the second.
    """
    if not answer.attention and answer.scores is None:
        return ()
    read = np.split(answer.mask[number], np.cumsum(answer.parts)[:-1])
    captions = (request.caption, request.caption_to or request.caption)
    pairs = zip(captions, read, strict=False)  # one part, where nothing is mixed
    return tuple(word for text, mask in pairs for word in tokenize(text)[: int(mask.sum())])


def _heatmaps(store: Store, answer: Answer, number: int) -> Iterator[HeatmapFile]:
    read = answer.mask[number]
    for stage in answer.attention:
        maps = stage[number][read]
        file = store.put(heatmaps.strip(maps), kind="results", suffix=".png")
        yield HeatmapFile(file, heatmaps.strengths(maps))


def _scores(answer: Answer, number: int) -> tuple[float, ...]:
    if answer.scores is None:
        return ()
    return tuple(round(s, 4) for s in answer.scores[number][answer.mask[number]].tolist())


def _parameters(request: Request, laid: Laid | None, draw: Draw) -> dict[str, str]:
    """What it takes to make the picture again; written into it."""
    parameters = {
        "task": request.task.value,
        "model": request.model,
        "caption": request.caption,
        "seed": str(draw.seed),
    }
    if laid is not None:
        parameters["crop"] = _text(laid.crop)
    if draw.position is not None:
        parameters["position"] = f"{draw.position:g}"
        if request.caption_to is not None:
            parameters["caption_to"] = request.caption_to
    return parameters


def _text(crop: Crop) -> str:
    return f"{crop.left},{crop.top},{crop.width},{crop.height}"
