"""Jobs that other programs put on the queue themselves, by RQ alone.

They name `worker.jobs.manipulate` or `worker.jobs.generate`, with the fields of `Request` as JSON
in keyword arguments; what comes of it is the job's return value, or its error. See docs/queue.md.
What HTTP refuses (app/forms.py) is refused here too.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from models.registry import Task
from worker.engine import Engine
from worker.failures import attempt
from worker.messages import (
    MAX_CAPTION,
    MAX_SEED,
    MAX_STEPS,
    MAX_VARIATIONS,
    Failure,
    Request,
    with_words,
)
from worker.watch import Watch

MANIPULATE = "worker.jobs.manipulate"
GENERATE = "worker.jobs.generate"

_Caption = Annotated[str, Field(min_length=1, max_length=MAX_CAPTION), AfterValidator(with_words)]


@dataclass(frozen=True)
class _Asked(Request):
    """A request within bounds."""

    caption: _Caption
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    variations: Annotated[int, Field(ge=1, le=MAX_VARIATIONS)] = 1
    format: Literal["png", "jpeg", "webp"] | None = None
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)] = 1
    caption_to: _Caption | None = None


_REQUEST = TypeAdapter(_Asked)
_NAMES = {field.name for field in fields(Request)} - {"task"}


class BadArguments(ValueError):
    """The keyword arguments are no request."""


class NotDone(RuntimeError):
    """Why a request could not be done, in words for whoever asked."""


class _Watch(Watch):
    """Lets something else be done between the steps of a request."""

    def __init__(self, between: Callable[[], None]) -> None:
        self._between = between

    def between(self) -> None:
        self._between()


class DirectRunner:
    """Does what a job says in its own arguments."""

    def __init__(self, engine: Engine, between: Callable[[], None] = lambda: None) -> None:
        """`between` is called between steps, when something else may be done."""
        self._engine = engine
        self._watch = _Watch(between)

    def manipulate(self, **said: Any) -> dict[str, Any]:
        """Changes the stored picture `image_id` as `caption` says; see `_run`."""
        return self._run(Task.MANIPULATE, said)

    def generate(self, **said: Any) -> dict[str, Any]:
        """Draws what `caption` says; see `_run`."""
        return self._run(Task.GENERATE, said)

    def _run(self, task: Task, said: dict[str, Any]) -> dict[str, Any]:
        """A `Result` as JSON: outputs with ids in the store, and metrics.

        Raises:
            BadArguments: a field is missing, unknown, of the wrong kind or out of bounds, or the
                model knows no word of a caption.
            NotDone: it could not be done.
        """
        if unknown := said.keys() - _NAMES:
            raise BadArguments(f"there is no field {', '.join(sorted(unknown))}")
        try:
            request = _REQUEST.validate_python({"task": task, **said})
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise BadArguments(told) from None
        self._check_words(request)
        [outcome] = self._engine.run([request], self._watch)
        if isinstance(outcome, Failure):
            raise NotDone(f"{outcome.title}: {outcome.detail}")
        return outcome.to_json()

    def _check_words(self, request: Request) -> None:
        """Refuse a caption of which the model knows no word; one unknown word is no harm."""
        system = attempt(partial(self._engine.models.get, request.model))
        if isinstance(system, Failure):
            raise NotDone(f"{system.title}: {system.detail}")
        for field in ("caption", "caption_to"):
            caption = getattr(request, field)
            if caption and not system.vocabulary.knows_any(caption):
                raise BadArguments(f"{field}: the model knows none of its words, wanted one")
