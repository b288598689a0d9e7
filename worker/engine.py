"""Requests in, results or failures out: opened (worker/opening.py), drawn (worker/network.py), and
ended, by writing what was drawn (worker/results.py).

A list of compatible requests (one model, one task) goes through the network together; whatever is
wrong with one of them fails that one alone. The same request on its own gives the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from time import perf_counter

import torch

from models.base import System, UnsupportedTask
from models.registry import Task
from worker import crops, results
from worker.failures import Canceled, attempt
from worker.laying import lay
from worker.library import Library
from worker.loading import ModelPool
from worker.messages import Failure, Metrics, Request, Result
from worker.network import Drawn, forward, rehearse
from worker.objects import ObjectFinder
from worker.opening import Opener
from worker.results import Answer, Drawing, Laid
from worker.search import Searcher
from worker.sources import Source
from worker.store import Store
from worker.watch import Watch

_AT_ONCE = 4  # drawings that are sent together to be written

Ending = Callable[[], Result | Failure]
Writing = Callable[[Sequence[Drawing]], list[Result | Exception]]


class Incompatible(ValueError):
    """The requests can't go through one network together."""


@dataclass(frozen=True)
class _Item:
    """One request on its way through."""

    request: Request
    system: System
    source: Source | None
    index: int  # among the requests of the pass
    watch: Watch

    def check(self) -> None:
        """
        Raises:
            Canceled: nobody wants it any more.
        """
        if self.watch.is_canceled(self.index):
            raise Canceled("the job was canceled")


class Engine:
    """Runs requests on the models of one pool; for one thread, but for endings of pictures."""

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
        self._opener = Opener(models, store, cache_bytes=cache_bytes)
        self._searcher = searcher or Searcher(Library(None))
        self._finder = ObjectFinder(models.device)

    @property
    def models(self) -> ModelPool:
        return self._models

    def run(
        self,
        requests: Sequence[Request],
        watch: Watch | None = None,
    ) -> list[Result | Failure]:
        """What became of each request, in order; `watch` hears of each as soon as it has ended.

        Raises:
            Incompatible: they don't all name one model and one task, or there is none.
        """
        watch = watch or Watch()
        outcomes: list[Result | Failure] = []
        for index, end in enumerate(self.draw(requests, watch)):
            outcomes.append(end())
            watch.finished(index, outcomes[-1])
            watch.between()
        return outcomes

    @torch.inference_mode()
    def draw(
        self, requests: Sequence[Request], watch: Watch, elsewhere: Writing | None = None
    ) -> list[Ending]:
        """Take requests through the network; what is left to do of each, in order, to be called
        once: it writes the files. Those of requests for pictures may be called in another thread.
        What was drawn from words alone is written `elsewhere`, if that is given, a few drawings
        with the first of them that is called.

        Raises:
            Incompatible: they don't all name one model and one task, or there is none.
        """
        if len({(request.model, request.task) for request in requests}) != 1:
            raise Incompatible("wanted at least one request, all for one model and one task")
        started = perf_counter()
        masks = requests[0].task is Task.MASK
        if masks:
            steps = self._masks(requests, watch)
        else:
            steps = self._pictures(requests, watch, elsewhere)
        return [partial(_ended, step, started, len(requests)) for step in steps]

    @torch.inference_mode()
    def warm(self) -> None:
        """Load every model and run each once, so that the first request is as fast as the next.
        The first choice is the last to be run, so that it is not the first to make room.
        """
        self._models.warm()
        for model_id in reversed(self._models.resident):
            system = self._models.get(model_id)
            attempt(partial(rehearse, system, self._models.device))
            if Task.SEARCH in system.tasks:
                attempt(partial(self._searcher.take_in, system, self._opener))

    def _pictures(
        self, requests: Sequence[Request], watch: Watch, elsewhere: Writing | None
    ) -> list[Ending]:
        opened: list[_Item | Failure] = []
        for index, request in enumerate(requests):
            opened.append(attempt(partial(self._open, request, index, watch)))
            watch.between()
        drawn = [i for i in opened if isinstance(i, _Item) and i.request.task is not Task.SEARCH]
        answers = iter(_answers(drawn))
        if elsewhere is None:
            return [self._rest(item, answers) for item in opened]
        groups = [_Together(elsewhere) for _ in opened[::_AT_ONCE]]
        return [self._rest(one, answers, groups[i // _AT_ONCE]) for i, one in enumerate(opened)]

    def _open(self, request: Request, index: int, watch: Watch) -> _Item:
        """The request with its photo decoded and prepared, from the cache where possible."""
        if watch.is_canceled(index):
            raise Canceled("the job was canceled")
        system = self._models.get(request.model)
        if request.task not in system.tasks:
            raise UnsupportedTask(f"{request.model} does not {request.task}")
        shows = request.task.needs_image or request.image_id is not None
        source = self._opener.source(system, request) if shows else None
        return _Item(request, system, source, index, watch)

    def _rest(
        self,
        item: _Item | Failure,
        answers: Iterator[Drawn | Failure],
        together: "_Together | None" = None,
    ) -> Ending:
        """What is left to do of a request; one that is to be drawn takes the next answer."""
        if isinstance(item, Failure):
            return partial(_returned, item)
        if item.request.task is Task.SEARCH:
            return partial(self._search, item)
        answer = next(answers)
        if isinstance(answer, Failure):
            return partial(_returned, answer)
        if together is not None and item.source is None:
            return together.add(item, answer.answer)
        return partial(self._write, item, answer)

    def _masks(self, requests: Sequence[Request], watch: Watch) -> list[Ending]:
        return [partial(self._mask, request, i, watch) for i, request in enumerate(requests)]

    def _mask(self, request: Request, index: int, watch: Watch) -> Result:
        """What stands out in the photo of a request."""
        if watch.is_canceled(index):
            raise Canceled("the job was canceled")
        photo = self._opener.photo(request.image_id or "").pixels
        crop = request.crop or crops.centred_square(*photo.size)
        crops.check_crop(crop, *photo.size)
        found = self._finder.find(photo, crop)
        small = found.small
        file = results.write_mask(self._store, request, crop, mask=found.mask, small=small)
        return Result((file,))

    @torch.inference_mode()
    def _search(self, item: _Item) -> Result:
        prepared = item.source.prepared if item.source else None
        found = self._searcher.search(item.system, item.request, prepared, self._opener)
        return Result((), found=found)

    @torch.inference_mode()
    def _write(self, item: _Item, drawn: Drawn) -> Result:
        """The answer's pictures as files in the store."""
        request, count = item.request, item.request.pictures

        def before(number: int) -> None:
            item.check()
            if number:
                item.watch.advanced(item.index, number / count)

        def laid(number: int) -> Laid | None:
            if item.source is None:
                return None
            position, image = request.draws[number].position, drawn.image[number]
            return lay(request, item.source, image, position, keeps_photo=drawn.keeps_photo)

        return results.write_all(self._store, request, drawn.answer, lay=laid, before=before)


class _Together:
    """Drawings that are written elsewhere at once, which spares most of what it costs to send each;
    for several threads, and few, so that they can share those of a pass.
    """

    def __init__(self, elsewhere: Writing) -> None:
        self._elsewhere = elsewhere
        self._drawings: list[Drawing] = []
        self._made: list[Result | Exception] | None = None
        self._lock = Lock()

    def add(self, item: _Item, answer: Answer) -> Callable[[], Result]:
        """Its result, when it is asked for; by then all must have been added."""
        number = len(self._drawings)
        self._drawings.append((item.request, answer))
        return partial(self._result, item, number)

    def _result(self, item: _Item, number: int) -> Result:
        item.check()
        with self._lock:
            if self._made is None:
                self._made = self._elsewhere(self._drawings)
        made = self._made[number]
        if isinstance(made, Exception):
            raise made
        return made


def _answers(items: Sequence[_Item]) -> list[Drawn | Failure]:
    """One forward pass for all; if it fails, one for each, so that only the bad one fails. Also
    where the model's file was replaced while they were opened: they belong to two systems.
    """
    if len({id(item.system) for item in items}) <= 1:
        if not items:
            return []
        asked = [(item.request, item.source) for item in items]
        together = attempt(partial(forward, items[0].system, asked))
        if not isinstance(together, Failure):
            return list(together)
        if len(items) == 1:
            return [together]
    return [answer for item in items for answer in _answers([item])]


def _ended(step: Ending, started: float, count: int) -> Result | Failure:
    """What `step` makes of one of `count` requests, or why it can't, with the time since then."""
    made = attempt(step)
    if isinstance(made, Failure):
        return made
    return replace(made, metrics=Metrics(predict_s=perf_counter() - started, batch_size=count))


def _returned(failure: Failure) -> Failure:
    return failure
