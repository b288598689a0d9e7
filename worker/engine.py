"""Requests in, results or failures out: decode, then worker/network.py, then worker/results.py.

A list of compatible requests (one model, one task) goes through the network together; whatever is
wrong with one of them fails that one alone. The same request on its own gives the same bytes.
Shapes: S image side.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from types import MappingProxyType
from typing import TypeVar

import torch
from PIL import Image

from models.base import EmptyCaption, Prepared, System, UnsupportedTask
from models.checkpoint import BadCheckpoint
from models.registry import Task
from worker import animation, fullres, pictures, results
from worker.archives import Archives
from worker.cache import ByteCache
from worker.library import Library
from worker.loading import ModelPool, UnknownModel
from worker.messages import Crop, Failure, Metrics, OutputFile, Request, Result
from worker.network import forward, rehearse
from worker.objects import ObjectFinder
from worker.pictures import BadCrop, BadPicture, Photo
from worker.results import Answer
from worker.search import Searcher
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


class Engine:
    """Runs requests on the models of one pool; for one thread."""

    def __init__(
        self,
        models: ModelPool,
        store: Store,
        searcher: Searcher | None = None,
        *,
        cache_bytes: int = 2**29,
    ) -> None:
        """Without a searcher there is no library, only what a search names itself."""
        self._models = models
        self._store = store
        self._archives = Archives(store)
        self._searcher = searcher or Searcher(Library(None))
        self._finder = ObjectFinder(models.device)
        self._photos = ByteCache[Photo](cache_bytes * 5 // 8, _photo_bytes)
        self._small = ByteCache[Image.Image](cache_bytes // 8, _pixels_bytes)
        self._prepared = ByteCache[Prepared](cache_bytes // 4, _prepared_bytes)

    @property
    def models(self) -> ModelPool:
        return self._models

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
        masks = requests[0].task is Task.MASK
        ended = self._masks(requests, watch) if masks else self._pictures(requests, watch)
        outcomes: list[Result | Failure] = []
        for index, made in enumerate(ended):
            metrics = Metrics(predict_s=perf_counter() - started, batch_size=len(requests))
            outcomes.append(made if isinstance(made, Failure) else replace(made, metrics=metrics))
            watch.finished(index, outcomes[-1])
            watch.between()
        return outcomes

    @torch.inference_mode()
    def warm(self) -> None:
        """Load every model and run each once, so that the first request is as fast as the next."""
        self._models.warm()
        for model_id in self._models.resident:
            system = self._models.get(model_id)
            _attempt(partial(rehearse, system, self._models.device))
            if Task.SEARCH in system.tasks:
                _attempt(partial(self._searcher.take_in, system, self))

    def photo(self, file_id: str) -> Photo:
        """A picture of the store, decoded.

        Raises:
            NotStored: it is gone.
        """
        return self._photos.get(file_id, lambda: pictures.decode(self._archives.get(file_id)))

    def prepare(self, system: System, photo: Photo, crop: Crop | None = None) -> Prepared:
        """What the network sees in the crop of a photo, by default the largest centred square."""
        crop = crop or pictures.centred_square(*photo.pixels.size)
        image = fullres.look(photo.pixels, crop, system.cfg.image_size)[None]
        return system.prepare(image.to(self._models.device))

    def _pictures(self, requests: Sequence[Request], watch: Watch) -> Iterator[Result | Failure]:
        """What a system makes of each request, in order."""
        opened = self._open_all(requests, watch)
        drawn = [i for i in opened if isinstance(i, _Item) and i.request.task is not Task.SEARCH]
        answers = iter(_answers(drawn))
        for item in opened:
            yield item if isinstance(item, Failure) else self._finish(item, answers)

    def _masks(self, requests: Sequence[Request], watch: Watch) -> Iterator[Result | Failure]:
        """What stands out in the photo of each request, in order."""
        for index, request in enumerate(requests):
            yield _attempt(partial(self._mask_of_object, request, index, watch))

    def _mask_of_object(self, request: Request, index: int, watch: Watch) -> Result:
        if watch.is_canceled(index):
            raise Canceled("the job was canceled")
        photo = self.photo(request.image_id or "").pixels
        crop = request.crop or pictures.centred_square(*photo.size)
        pictures.check_crop(crop, *photo.size)
        return Result(
            (results.write_mask(self._store, request, crop, self._finder.find(photo, crop)),)
        )

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
        shows = request.task.needs_image or request.image_id is not None
        source = self._source(system, request) if shows else None
        return _Item(request, system, source, index, watch)

    def _source(self, system: System, request: Request) -> Source:
        if request.image_id is None:
            raise NotStored(f"to {request.task} takes a picture, and the request names none")
        photo, mask = self.photo(request.image_id), self._mask(request)
        start = self._seen(system, request, request.image_id, request.crop)
        if request.image_id_to is None:
            return replace(start, mask=mask)
        beside = of_one_size(photo, self.photo(request.image_id_to))
        if mask is not None and not beside:
            raise BadMask("a mask has the size of one photo, and the two photos differ in size")
        crop = request.crop if beside else None
        end = self._seen(system, request, request.image_id_to, crop)
        return replace(start, mask=mask, to=end)

    def _seen(self, system: System, request: Request, image_id: str, crop: Crop | None) -> Source:
        """A photo and what the network sees in its crop, by default the largest centred square."""
        photo = self.photo(image_id)
        crop = crop or pictures.centred_square(*photo.pixels.size)
        pictures.check_crop(crop, *photo.pixels.size)
        prepared = self._prepared.get(
            (image_id, crop, self._models.version(request.model)),
            lambda: self.prepare(system, photo, crop),
        )
        return Source(photo, crop, None, prepared, small=self._preview(request, image_id, photo))

    def _preview(self, request: Request, image_id: str, photo: Photo) -> Image.Image | None:
        """The photo at the size of previews: many may come of it, one for each letter typed."""
        if request.full_resolution:
            return None
        return self._small.get(image_id, lambda: fullres.shrink(photo.pixels, results.PREVIEW_SIDE))

    def _mask(self, request: Request) -> Image.Image | None:
        if request.mask_id is None or request.image_id is None:
            return None
        mask, photo = self.photo(request.mask_id).pixels, self.photo(request.image_id).pixels
        if mask.size != photo.size:
            wanted = "the photo's {} x {}".format(*photo.size)
            raise BadMask("the mask has {} x {} pixels, wanted ".format(*mask.size) + wanted)
        return mask.convert("L")

    def _finish(self, item: _Item, answers: Iterator[Answer | Failure]) -> Result | Failure:
        """What a search finds, or the next answer's pictures as files in the store."""
        if item.request.task is Task.SEARCH:
            return _attempt(partial(self._search, item))
        answer = next(answers)
        if isinstance(answer, Failure):
            return answer
        return _attempt(partial(self._write, item, answer))

    def _search(self, item: _Item) -> Result:
        prepared = item.source.prepared if item.source else None
        return Result((), found=self._searcher.search(item.system, item.request, prepared, self))

    def _write(self, item: _Item, answer: Answer) -> Result:
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
        return Result(tuple(files), animation=self._animation(frames) if frames else None)

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
    grey = photo.pixels.width * photo.pixels.height if photo.alpha else 0
    return _pixels_bytes(photo.pixels) + grey


def _pixels_bytes(image: Image.Image) -> int:
    """Pillow keeps four bytes for a pixel in colour, one for a grey one."""
    return 4 * image.width * image.height


def _prepared_bytes(prepared: Prepared) -> int:
    return sum(tensor.nbytes for tensor in (prepared.image, *prepared.features))
