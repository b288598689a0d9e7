"""Jobs that other programs put on the queue themselves, by RQ alone.

They name `worker.jobs.manipulate` or `worker.jobs.generate`, with the fields of `Request` as JSON
in keyword arguments; what comes of it is the job's return value, or its error. See docs/queue.md.
"""

from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from models.registry import Task
from worker.engine import Engine
from worker.messages import Failure, Request

MANIPULATE = "worker.jobs.manipulate"
GENERATE = "worker.jobs.generate"

_REQUEST = TypeAdapter(Request)
_NAMES = {field.name for field in fields(Request)} - {"task"}


class BadArguments(ValueError):
    """The keyword arguments are no request."""


class NotDone(RuntimeError):
    """Why a request could not be done, in words for whoever asked."""


class DirectRunner:
    """Does what a job says in its own arguments."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def manipulate(self, **said: Any) -> dict[str, Any]:
        """Changes the stored picture `image_id` as `caption` says; see `_run`."""
        return self._run(Task.MANIPULATE, said)

    def generate(self, **said: Any) -> dict[str, Any]:
        """Draws what `caption` says; see `_run`."""
        return self._run(Task.GENERATE, said)

    def _run(self, task: Task, said: dict[str, Any]) -> dict[str, Any]:
        """A `Result` as JSON: outputs with ids in the store, and metrics.

        Raises:
            BadArguments: a field is missing, unknown or of the wrong kind.
            NotDone: it could not be done.
        """
        if unknown := said.keys() - _NAMES:
            raise BadArguments(f"there is no field {', '.join(sorted(unknown))}")
        try:
            request = _REQUEST.validate_python({"task": task, **said})
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise BadArguments(told) from None
        [outcome] = self._engine.run([request])
        if isinstance(outcome, Failure):
            raise NotDone(f"{outcome.title}: {outcome.detail}")
        return outcome.to_json()
