"""Whatever the API's own description allows, and much that it forbids, is answered as it says."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import positive_data_acceptance
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation

from app.settings import Settings
from tests.app.conftest import picture, write_checkpoint
from worker.messages import Result
from worker.queue import INTERACTIVE, JobQueue, UnknownJob, WorkerView

_EXAMPLES = 20  # of each operation
Case = schemathesis.Case[Any]
Operation = APIOperation[Any, Any, Any, Any]


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """Settings of a web process that asks no name server for made-up hosts, and has models for all
    tasks.
    """
    for system in ("attngan", "tirg"):
        write_checkpoint(web_settings.checkpoints[0], system=system)
    return Settings(**web_settings.model_dump() | {"webhooks": False})


@pytest.fixture
def image_id(client: httpx.Client) -> str:
    """A picture that is kept."""
    answer = client.post("/images", files={"image": ("a.jpg", picture(64, 64))})
    return str(answer.json()["image_id"])


@pytest.fixture
def operations(
    client: httpx.Client, queue: JobQueue, warm_worker: WorkerView
) -> Iterator[Operation]:
    """All that there are, and a worker that lives meanwhile."""
    description = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")

    def all_of_them() -> Iterator[Operation]:
        for found in description.get_all_operations():
            queue.announce(warm_worker)  # it would be taken for dead after a few seconds
            yield found.ok()

    return all_of_them()


@pytest.fixture
def working(queue: JobQueue, finish: Callable[[str], Result]) -> Iterator[None]:
    """Ends each job as soon as it waits."""
    is_over = Event()

    def work() -> None:
        while not is_over.is_set():
            if popped := queue.connection.blpop([f"rq:queue:{INTERACTIVE}"], 0.1):
                with suppress(UnknownJob):  # an import
                    queue.read(job_id := popped[1].decode())
                    finish(job_id)

    thread = Thread(target=work)
    thread.start()
    yield
    is_over.set()
    thread.join()


def try_out(operation: Operation, mode: GenerationMode, check: Callable[[Case], None]) -> None:
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def checked(case: Case) -> None:
        check(case)

    checked()


def test_whatever_makes_sense_and_fits_the_description_is_taken(
    operations: Iterator[Operation], image_id: str, working: None
) -> None:
    def is_taken(case: Case) -> None:
        give_meaning(case, image_id)
        case.call_and_validate(**_named_files(case))

    labels = []
    for operation in operations:
        labels.append(operation.label)
        try_out(operation, GenerationMode.POSITIVE, is_taken)
    assert len(labels) > 30


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_described(
    operations: Iterator[Operation], mode: GenerationMode
) -> None:
    def is_as_described(case: Case) -> None:
        # Made-up bytes are no picture: what fits the description may yet be refused.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    for operation in operations:
        takes_something = bool(operation.body or list(operation.iter_parameters()))
        if takes_something or mode.is_positive:  # what takes nothing can be given nothing wrong
            try_out(operation, mode, is_as_described)


def give_meaning(case: Case, image_id: str) -> None:
    """Put into a case what no description can say: files are pictures and lists, ids are of what is
    kept, captions have a word that the models know, and what excludes another is not beside it. All
    else stays as it was made up.
    """
    if case.operation.path == "/images/{image_id}":
        case.path_parameters = {"image_id": image_id}
    case.headers.pop("Idempotency-Key", None)  # of another request before
    for said in (case.query, case.body):
        if isinstance(said, dict):
            _give_meaning(said, image_id)
            _give_photo(said, case.operation, image_id)


def _named_files(case: Case) -> dict[str, Any]:
    """What a body with weights is sent as, since they go by their files' names."""
    if case.operation.path != "/imports":
        return {}
    said = {name: value for name, value in case.body.items() if name in _IMPORT_FIELDS}
    return {"data": said, "files": [("files", ("netG.pth", b"weights"))]}


_IMPORT_FIELDS = {"system", "domain", "example"}
_FILES = {"image": picture(64, 64), "image_to": picture(64, 64), "mask": picture(64, 64)}
_FILES["items"] = b"caption\nyellow petals\n"
# Off here, of models that are not here, or a ZIP that nothing in the list names.
_LEFT_OUT = {"webhook", "image_url", "model", "images", "stream"}


def _give_meaning(said: dict[str, Any], image_id: str) -> None:
    for name in _LEFT_OUT & said.keys():
        del said[name]
    for name in ("caption", "caption_to", "prompt"):
        if said.get(name) is not None:
            said[name] = f"yellow {said[name]}"[:300]
    here = {"image_id": image_id, "image_id_to": image_id, "crop": "0,0,64,64", "among": [image_id]}
    for name, value in (here | _FILES | {"size": "64x48"}).items():
        if said.get(name) is not None:
            said[name] = value
    if not any(said.get(name) for name in ("caption_to", "image_to", "image_id_to")):
        said.pop("steps", None)
    else:
        said.pop("variations", None)


def _give_photo(said: dict[str, Any], operation: Operation, image_id: str) -> None:
    """One photo at each end, where any is taken."""
    for file, kept in (("image", "image_id"), ("image_to", "image_id_to")):
        if file in said:
            said.pop(kept, None)
    if operation.path in _PHOTO_WANTED and "image_id" not in said:
        said["image"] = _FILES["image"]
    if operation.path == "/search" and not said.keys() & {"image", "image_id"}:
        said.pop("crop", None)
        said.setdefault("caption", "yellow")


_PHOTO_WANTED = {"/manipulate", "/masks", "/images", "/v1/images/edits"}
