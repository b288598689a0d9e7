"""Requests in, results or failures out: decode, then worker/network.py, then worker/results.py.

A list of compatible requests (one model, one task) goes through the network together; whatever is
wrong with one of them fails that one alone. The same request on its own gives the same bytes.
Shapes: S image side.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import torch
from PIL import Image
from torch import Tensor

from models.base import EmptyCaption, Prepared, System, UnsupportedTask
from models.checkpoint import BadCheckpoint
from worker import animation, fullres, pictures, results
from worker.cache import ByteCache
from worker.loading import ModelPool, UnknownModel
from worker.messages import Crop, Failure, Metrics, OutputFile, Request, Result
from worker.network import forward, rehearse
from worker.pictures import BadCrop, BadPicture, Photo
from worker.results import Answer
from worker.sources import Source, of_one_size
from worker.store import NotStored, Store
from worker.watch import Watch

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Canceled(RuntimeError):
    """Nobody wants the result any more."""


class BadMask(ValueError):
    """The mask does not fit the photo."""


class Incompatible(ValueError):
    """The requests can't go through one network together."""


_TITLES: Mapping[type[Exception], str] = MappingProxyType(
    {
        Canceled: "Canceled",
        UnknownModel: "There is no such model",
        BadCheckpoint: "The model can't be loaded",
        UnsupportedTask: "The model can't do this",
        EmptyCaption: "The caption has no words",
        NotStored: "The picture is gone",
        BadPicture: "The picture can't be used",
        BadCrop: "The crop does not fit the picture",
        BadMask: "The mask does not fit the picture",
    }
)
_UNEXPECTED = Failure(
    "Something went wrong inside",
    "The worker hit an error that it did not expect; its log says more. Try again.",
    retryable=True,
)


@dataclass(frozen=True)
class _Item:
    """One request on its way through."""

    request: Request
    system: System
    source: Source | None
    index: int  # among the requests of the pass
    watch: Watch


class _Written(NamedTuple):
    """An item's files, by their keys in the store."""

    outputs: tuple[OutputFile, ...]
    animation: str | None


class Engine:
    """Runs requests on the models of one pool; for one thread."""

    def __init__(self, models: ModelPool, store: Store, *, cache_bytes: int = 2**29) -> None:
        self._models = models
        self._store = store
        self._photos = ByteCache[Photo](cache_bytes * 3 // 4, _photo_bytes)
        self._prepared = ByteCache[Prepared](cache_bytes // 4, _prepared_bytes)

    @torch.inference_mode()
    def run(
        self,
        requests: Sequence[Request],
        watch: Watch | None = None,
    ) -> list[Result | Failure]:
        """What became of each request, in order; `watch` hears of each as soon as it has ended.

        Raises:
            Incompatible: they don't all name one model and one task, or there is none.
        """
        if len({(request.model, request.task) for request in requests}) != 1:
            raise Incompatible("wanted at least one request, all for one model and one task")
        started, watch = perf_counter(), watch or Watch()
        opened = self._open_all(requests, watch)
        answers = iter(_answers([item for item in opened if isinstance(item, _Item)]))
        outcomes: list[Result | Failure] = []
        for index, item in enumerate(opened):
            written = item if isinstance(item, Failure) else self._close(item, next(answers))
            metrics = Metrics(predict_s=perf_counter() - started, batch_size=len(requests))
            outcomes.append(
                written
                if isinstance(written, Failure)
                else Result(written.outputs, metrics, written.animation)
            )
            watch.finished(index, outcomes[-1])
            watch.between()
        return outcomes

    @torch.inference_mode()
    def warm(self) -> None:
        """Load every model and run each once, so that the first request is as fast as the next."""
        self._models.warm()
        for model_id in self._models.resident:
            _attempt(partial(rehearse, self._models.get(model_id), self._models.device))

    def _open_all(self, requests: Sequence[Request], watch: Watch) -> list[_Item | Failure]:
        opened: list[_Item | Failure] = []
        for index, request in enumerate(requests):
            opened.append(_attempt(partial(self._open, request, index, watch)))
            watch.between()
        return opened

    def _open(self, request: Request, index: int, watch: Watch) -> _Item:
        """The request with its photo decoded and prepared, from the cache where possible."""
        if watch.is_canceled(index):
            raise Canceled("the job was canceled")
        system = self._models.get(request.model)
        if request.task not in system.tasks:
            raise UnsupportedTask(f"{request.model} does not {request.task}")
        source = self._source(system, request) if request.task.needs_image else None
        return _Item(request, system, source, index, watch)

    def _source(self, system: System, request: Request) -> Source:
        if request.image_id is None:
            raise NotStored(f"to {request.task} takes a picture, and the request names none")
        photo, mask = self._photo(request.image_id), self._mask(request)
        start = self._seen(system, request, request.image_id, request.crop)
        if request.image_id_to is None:
            return replace(start, mask=mask)
        beside = of_one_size(photo, self._photo(request.image_id_to))
        if mask is not None and not beside:
            raise BadMask("a mask has the size of one photo, and the two photos differ in size")
        crop = request.crop if beside else None
        end = self._seen(system, request, request.image_id_to, crop)
        return replace(start, mask=mask, to=end)

    def _seen(self, system: System, request: Request, image_id: str, crop: Crop | None) -> Source:
        """A photo and what the network sees in its crop, by default the largest centred square."""
        photo = self._photo(image_id)
        crop = crop or pictures.centred_square(*photo.pixels.size)
        pictures.check_crop(crop, *photo.pixels.size)
        prepared = self._prepared.get(
            (image_id, crop, self._models.version(request.model)),
            lambda: system.prepare(self._look(photo, crop, system.cfg.image_size)),
        )
        return Source(photo, crop, None, prepared)

    def _look(self, photo: Photo, crop: Crop, side: int) -> Tensor:
        """(1, 3, S, S) in [-1, 1], what the network sees of the photo."""
        return fullres.look(photo.pixels, crop, side)[None].to(self._models.device)

    def _photo(self, file_id: str) -> Photo:
        return self._photos.get(file_id, lambda: pictures.decode(self._store.get(file_id)))

    def _mask(self, request: Request) -> Image.Image | None:
        if request.mask_id is None or request.image_id is None:
            return None
        mask, photo = self._photo(request.mask_id).pixels, self._photo(request.image_id).pixels
        if mask.size != photo.size:
            wanted = "the photo's {} x {}".format(*photo.size)
            raise BadMask("the mask has {} x {} pixels, wanted ".format(*mask.size) + wanted)
        return mask.convert("L")

    def _close(self, item: _Item, answer: Answer | Failure) -> _Written | Failure:
        """The item's pictures as files in the store."""
        if isinstance(answer, Failure):
            return answer
        return _attempt(partial(self._write, item, answer))

    def _write(self, item: _Item, answer: Answer) -> _Written:
        files: list[OutputFile] = []
        frames: list[Image.Image] = []
        count = len(answer.output.image)
        for number in range(count):
            if item.watch.is_canceled(item.index):
                raise Canceled("the job was canceled")
            file, picture = results.write(self._store, item.request, item.source, answer, number)
            files.append(file)
            if file.position is not None:
                frames.append(fullres.shrink(picture, animation.SIDE))
            if number + 1 < count:
                item.watch.advanced(item.index, (number + 1) / count)
        return _Written(tuple(files), self._animation(frames) if frames else None)

    def _animation(self, frames: Sequence[Image.Image]) -> str:
        return self._store.put(animation.animate(frames), kind="results", suffix=".webp")


def _answers(items: Sequence[_Item]) -> list[Answer | Failure]:
    """One forward pass for all; if it fails, one for each, so that only the bad one fails. Also
    where the model's file was replaced while they were opened: they belong to two systems.
    """
    if len({id(item.system) for item in items}) <= 1:
        if not items:
            return []
        asked = [(item.request, item.source) for item in items]
        together = _attempt(partial(forward, items[0].system, asked))
        if not isinstance(together, Failure):
            return list(together)
        if len(items) == 1:
            return [together]
    return [answer for item in items for answer in _answers([item])]


def _attempt(step: Callable[[], T]) -> T | Failure:
    """What `step` returns, or why it can't."""
    try:
        return step()
    except Exception as error:
        for kind, title in _TITLES.items():
            if isinstance(error, kind):
                return Failure(title, str(error))
        _log.exception("a request failed in an unexpected way")
        return _UNEXPECTED


def _photo_bytes(photo: Photo) -> int:
    """Pillow keeps four bytes for a pixel in colour, one for a grey one."""
    return photo.pixels.width * photo.pixels.height * (5 if photo.alpha else 4)


def _prepared_bytes(prepared: Prepared) -> int:
    return sum(tensor.nbytes for tensor in (prepared.image, *prepared.features))
