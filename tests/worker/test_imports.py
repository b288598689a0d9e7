"""What is known of imports, on a real Valkey; workers are played by hand."""

import pytest
import redis
from rq.job import Job

from worker.imports import Imports, Order
from worker.messages import Failure
from worker.records import Status
from worker.settings import Settings

ORDER = Order("attngan", "birds", files=())


@pytest.fixture
def imports(settings: Settings) -> Imports:
    return Imports.from_settings(settings)


def test_what_was_said_first_of_an_end_stays(imports: Imports) -> None:
    first, second = imports.submit(ORDER), imports.submit(ORDER)
    imports.finish(first, "attngan-birds-256")
    imports.finish(first, Failure("The weights can't be imported", "no room"))
    imports.finish(second, Failure("The weights can't be imported", "no room"))
    imports.finish(second, "attngan-birds-256")
    assert imports.read(first).status is Status.SUCCEEDED
    assert imports.read(second).status is Status.FAILED
    assert imports.read(second).model is None


@pytest.mark.parametrize(("has_begun", "reason"), [(False, "in time"), (True, "died over")])
def test_an_import_that_no_worker_will_come_back_to_has_failed(
    imports: Imports, valkey_url: str, has_begun: bool, reason: str
) -> None:
    import_id = imports.submit(ORDER)
    if has_begun:
        imports.advance(import_id, 0.5)
    with redis.Redis.from_url(valkey_url) as client:
        client.delete(Job.key_for(import_id))  # as RQ does
    view = imports.read(import_id)
    assert view.status is Status.FAILED
    assert view.error
    assert reason in view.error.detail
    assert view.error.retryable


def test_an_import_that_is_worked_on_is_not_forgotten(imports: Imports, valkey_url: str) -> None:
    import_id = imports.submit(ORDER)
    key = f"wordbrush:import:{import_id}"
    with redis.Redis.from_url(valkey_url) as client:
        for step in (
            lambda: imports.advance(import_id, 0.5),
            lambda: imports.finish(import_id, "attngan-birds-256"),
        ):
            client.expire(key, 60)
            step()
            assert client.ttl(key) > 60
