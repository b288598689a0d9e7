"""Whatever the API's own description allows, and much that it forbids, is answered as it says."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CheckFunction, positive_data_acceptance
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation

from app.settings import Settings
from worker.queue import JobQueue, WorkerView

_EXAMPLES = 20  # of each operation


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """Settings of a web process that asks no name server for made-up hosts."""
    return Settings(**web_settings.model_dump() | {"webhooks": False})


def left_out(operation: APIOperation[Any, Any, Any, Any]) -> list[CheckFunction]:
    """Made-up bytes are no picture, made-up words are unknown, and nothing is kept under a made-up
    id: what takes such may refuse what fits its description. All else takes it.
    """
    takes_words = any(one.name == "caption" for one in operation.iter_parameters())
    may_be_gone = "410" in operation.definition.raw["responses"]
    return [positive_data_acceptance] if operation.body or takes_words or may_be_gone else []


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_described(
    client: httpx.Client, queue: JobQueue, warm_worker: WorkerView, mode: GenerationMode
) -> None:
    description = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")
    operations = [found.ok() for found in description.get_all_operations()]
    if mode.is_negative:  # what takes nothing can be given nothing wrong
        operations = [one for one in operations if next(one.iter_parameters(), None) or one.body]
    assert len(operations) >= 7
    for operation in operations:
        queue.announce(warm_worker)  # it would be taken for dead after a few seconds

        @settings(
            max_examples=_EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers_are_as_described(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(excluded_checks=left_out(case.operation))

        answers_are_as_described()
