"""Batches through real workers: nothing lost, nothing twice, people first."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanContext
from PIL import Image

from models.registry import Task
from tests.collector import attributes_of, error_of, spans_in
from tests.processes import until
from tests.tiny import write_tiny_model
from tests.worker.conftest import StartWorker
from worker.batch_records import BatchView, Item
from worker.batches import Batches
from worker.messages import Failure, Request
from worker.queue import JobQueue, Status, Terms
from worker.resident import TIME_LIMIT_EXIT
from worker.settings import Settings
from worker.store import Store
from worker.writer import cores

BESIDE = pytest.mark.skipif(cores() < 2, reason="one core writes nothing beside")


@pytest.fixture
def queue(settings: Settings) -> JobQueue:
    return JobQueue.from_settings(settings)


@pytest.fixture
def batches(settings: Settings) -> Batches:
    return Batches.from_settings(settings)


@pytest.fixture
def request_(store: Store, tiny_model: str) -> Request:
    data = BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((32, 32)).save(data, "PNG")
    image_id = store.put(data.getvalue(), kind="uploads", suffix=".png")
    return Request(Task.MANIPULATE, tiny_model, "red", image_id=image_id)


def passes(settings: Settings) -> list[list[str]]:
    """Captions that went through a network, those of one pass together."""
    log = settings.data_dir / "passes.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.partition(" ")[2].split(" | ") for line in lines]


def named(request: Request, *captions: str) -> list[Item]:
    return [Item(str(n), replace(request, caption=c)) for n, c in enumerate(captions)]


def take_the_dead_for_dead(queue: JobQueue) -> None:
    """As if the time had passed for which a worker that is not heard of may yet live."""
    running = "rq:wip:wordbrush-batch"
    executions: Any = queue.connection.zrange(running, 0, -1)
    for execution in executions:
        queue.connection.zadd(running, {execution: 1})
        queue.connection.delete(f"rq:execution:{execution.decode()}")


@contextmanager
def traced_request() -> Iterator[SpanContext]:
    """Inside, what is put on the queue belongs to the trace of a request."""
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("POST /batches") as span:
        yield span.get_span_context()


def ended(batches: Batches, batch_id: str, timeout_s: float = 120) -> BatchView:
    until(lambda: batches.read(batch_id).status.is_final, timeout_s)
    return batches.read(batch_id)


def test_a_batch_goes_through_in_full_passes_and_what_is_bad_fails_alone(
    start_worker: StartWorker, batches: Batches, request_: Request, settings: Settings, store: Store
) -> None:
    captions = [f"0 seconds of {n}" for n in range(10)]
    items = named(request_, *captions)
    items[1:1] = [
        Item("refused", None, Failure("The line cannot be used", "no caption")),
        Item("gone", replace(request_, image_id="uploads-" + 32 * "0")),
    ]
    batch_id = batches.submit(items)
    start_worker()
    view = ended(batches, batch_id)
    assert (view.total, view.succeeded, view.failed) == (12, 10, 2)
    assert [len(together) for together in passes(settings)] == [7, 3]  # one of 8 had no picture
    found = batches.items(view, range(12))
    assert [one.status for one in found[:3]] == [Status.SUCCEEDED, Status.FAILED, Status.FAILED]
    assert found[0].outcome is not None
    assert not isinstance(found[0].outcome, Failure)
    assert store.get(found[0].outcome.outputs[0].image)


def test_the_log_says_which_items_failed_and_of_which_request_a_chunk_is(
    start_worker: StartWorker,
    batches: Batches,
    request_: Request,
    capfd: pytest.CaptureFixture[str],
) -> None:
    gone = replace(request_, image_id="uploads-" + 32 * "0")
    items = [*named(request_, "red secret"), Item("mine", gone)]
    batch_id = batches.submit(items, terms=Terms(request_id="r1"))
    worker = start_worker()
    ended(batches, batch_id)
    worker.terminate()
    assert worker.wait(60) == 0
    said = capfd.readouterr().err
    assert "secret" not in said
    lines = [json.loads(line) for line in said.splitlines() if f'"{batch_id}"' in line]
    [failed, done] = lines
    about = {"batch_id": batch_id, "request_id": "r1", "model": request_.model}
    assert about.items() <= done.items()
    assert (done["event"], done["items"]) == ("chunk", 2)
    wanted = {
        "event": "item failed",
        "level": "warning",
        "item": 1,
        "reason": "The picture is gone",
    }
    assert (about | wanted).items() <= failed.items()


def test_a_chunk_has_one_span_in_the_trace_of_its_batch_with_how_its_items_went(
    start_worker: StartWorker,
    batches: Batches,
    request_: Request,
    spans_sent: list[bytes],
) -> None:
    gone = replace(request_, image_id="uploads-" + 32 * "0")
    items = [*named(request_, *["0 seconds of red"] * 9), Item("gone", gone)]
    with traced_request() as context:
        batch_id = batches.submit(items)
        worker = start_worker()
        ended(batches, batch_id)
        worker.terminate()
        assert worker.wait(60) == 0
    [span] = spans_in(spans_sent)
    assert span.name == "chunk"
    assert int.from_bytes(span.trace_id) == context.trace_id
    assert int.from_bytes(span.parent_span_id) == context.span_id
    assert attributes_of(span) == {
        "wordbrush.batch": batch_id,
        "wordbrush.model": request_.model,
        "wordbrush.items": 10,
        "wordbrush.failed": 1,
        "wordbrush.status": "succeeded",
    }
    assert error_of(span) == "1 of 10 items failed"


def test_the_span_of_a_chunk_that_was_canceled_says_so_and_is_no_error(
    start_worker: StartWorker,
    batches: Batches,
    request_: Request,
    settings: Settings,
    spans_sent: list[bytes],
) -> None:
    worker = start_worker()
    batch_id = batches.submit(named(request_, "2 seconds of red"))  # canceled in the last pass
    until(lambda: passes(settings))
    batches.cancel(batch_id)
    worker.terminate()
    assert worker.wait(60) == 0
    [span] = spans_in(spans_sent)
    assert attributes_of(span)["wordbrush.status"] == "canceled"
    assert attributes_of(span)["wordbrush.failed"] == 0
    assert error_of(span) is None


def test_the_span_of_a_chunk_that_is_put_back_says_that_it_is_queued(
    start_worker: StartWorker,
    batches: Batches,
    request_: Request,
    settings: Settings,
    spans_sent: list[bytes],
) -> None:
    worker = start_worker(batch_size=1)
    batches.submit(named(request_, *["1 seconds of red"] * 5))
    until(lambda: passes(settings))
    worker.terminate()
    assert worker.wait(60) == 0
    [span] = spans_in(spans_sent)
    assert attributes_of(span)["wordbrush.status"] == "queued"
    assert error_of(span) is None


def test_an_item_whose_picture_cannot_be_written_fails_alone(
    start_worker: StartWorker, batches: Batches, request_: Request, store: Store
) -> None:
    wide = BytesIO()
    Image.new("RGB", (16_400, 16)).save(wide, "PNG")  # WebP holds 16,383
    image_id = store.put(wide.getvalue(), kind="uploads", suffix=".png")
    items = named(request_, "red", "blue", "yellow")
    items[1] = Item("wide", replace(request_, image_id=image_id, format="webp"))
    batch_id = batches.submit(items)
    start_worker()
    view = ended(batches, batch_id)
    found = batches.items(view, range(3))
    assert [one.status for one in found] == [Status.SUCCEEDED, Status.FAILED, Status.SUCCEEDED]
    assert isinstance(found[1].outcome, Failure)
    assert "16383" in found[1].outcome.detail


@BESIDE
def test_drawings_are_written_by_a_process_that_ends_with_the_worker(
    start_worker: StartWorker, batches: Batches, settings: Settings, store: Store
) -> None:
    model = write_tiny_model(settings.checkpoints[0], "attngan")
    worker = start_worker()
    request = Request(Task.GENERATE, model, "a red flower")
    batch_id = batches.submit([Item(str(n), replace(request, seed=n)) for n in range(70)])
    view = ended(batches, batch_id)
    assert (view.succeeded, view.failed) == (70, 0)
    seeds = list[int]()
    for one in batches.items(view, range(70)):
        assert one.outcome is not None
        assert not isinstance(one.outcome, Failure)
        [output] = one.outcome.outputs
        assert store.get(output.image)
        seeds.append(output.seed)
    assert seeds == list(range(70))
    [child] = children(worker.pid)
    worker.kill()
    worker.wait()
    until(lambda: not Path(f"/proc/{child}").exists(), 60)


def children(pid: int) -> list[int]:
    """Processes that a process has begun."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for of_one in threads for child in of_one.read_text().split()]


@BESIDE
def test_people_and_the_next_pass_do_not_wait_until_a_pass_is_written(
    start_worker: StartWorker,
    batches: Batches,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
) -> None:
    captions = ["0 seconds of a", "0 seconds of b slowly", "0 seconds of c", "0 seconds of d"]
    batch_id = batches.submit(named(request_, *captions))
    worker = start_worker(batch_size=1)
    until(lambda: [captions[2]] in passes(settings))
    person = queue.wait(queue.submit(request_), 60)
    assert person.status is Status.SUCCEEDED
    assert batches.read(batch_id).succeeded == 1
    assert [captions[3]] not in passes(settings)  # no more than one pass waits to be written
    worker.terminate()
    (settings.data_dir / "go").touch()
    assert worker.wait(60) == 0
    assert batches.read(batch_id).succeeded == 3  # what was drawn when it was told to stop


@BESIDE
def test_what_was_drawn_and_not_written_when_the_worker_died_is_drawn_again(
    start_worker: StartWorker,
    batches: Batches,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
) -> None:
    captions = ["0 seconds of a", "0 seconds of b slowly", "0 seconds of c"]
    batch_id = batches.submit(named(request_, *captions))
    first = start_worker(batch_size=1)
    until(lambda: len(passes(settings)) == 3)
    first.kill()
    first.wait()
    assert batches.read(batch_id).succeeded == 1
    take_the_dead_for_dead(queue)
    (settings.data_dir / "go").touch()
    start_worker(batch_size=1)
    assert ended(batches, batch_id).succeeded == 3
    assert passes(settings)[3:] == [[caption] for caption in captions[1:]]


def test_a_chunk_whose_worker_is_killed_goes_on_where_it_was(
    start_worker: StartWorker,
    batches: Batches,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
) -> None:
    captions = [f"{n // 2} seconds of {n}" for n in range(4)]
    batch_id = batches.submit(named(request_, *captions))
    first = start_worker(batch_size=2)
    until(lambda: batches.read(batch_id).succeeded == 2)
    first.kill()
    first.wait()
    take_the_dead_for_dead(queue)
    start_worker(batch_size=2)
    view = ended(batches, batch_id)
    assert view.succeeded == 4
    done = passes(settings)
    assert done[0] == captions[:2]
    assert done[-2:] == [[caption] for caption in captions[2:]]  # one at a time since


def test_a_chunk_whose_worker_is_killed_ends_once_and_without_an_error(
    start_worker: StartWorker,
    batches: Batches,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    batch_id = batches.submit(named(request_, "2 seconds of red"))
    first = start_worker()
    until(lambda: passes(settings))
    first.kill()
    first.wait()
    take_the_dead_for_dead(queue)
    start_worker()
    assert ended(batches, batch_id).succeeded == 1
    until(lambda: queue.depth() == 0 and not queue.connection.zcard("rq:wip:wordbrush-batch"))
    assert queue.connection.keys("rq:job:*") == []
    said = capfd.readouterr().err
    assert said.count('"event": "chunk"') == 1
    assert '"level": "error"' not in said


def test_an_item_over_which_workers_die_is_left_out_and_the_rest_goes_on(
    start_worker: StartWorker,
    batches: Batches,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
) -> None:
    captions = ["3600 seconds of a", "0 seconds of b", "0 seconds of c"]
    batch_id = batches.submit(named(request_, *captions))
    for _ in range(3):  # first two together, then each alone, and again
        assert start_worker(job_timeout_s=2, batch_size=2).wait(120) == TIME_LIMIT_EXIT
        take_the_dead_for_dead(queue)
    start_worker(job_timeout_s=20, batch_size=2)
    view = ended(batches, batch_id)
    assert (view.succeeded, view.failed) == (2, 1)
    outcome = batches.items(view, [0])[0].outcome
    assert isinstance(outcome, Failure)
    assert outcome.title == "The worker died"
    assert passes(settings) == [captions[:2], captions[:1], *([caption] for caption in captions)]


def test_an_item_at_which_workers_are_killed_for_no_fault_of_its_own_is_done(
    start_worker: StartWorker,
    batches: Batches,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
) -> None:
    batch_id = batches.submit(named(request_, "2 seconds of a", "0 seconds of b"))
    for deaths in (1, 2):  # both together, then the first alone
        worker = start_worker()
        until(lambda: len(passes(settings)) == deaths)  # noqa: B023  # asked at once
        worker.kill()
        worker.wait()
        take_the_dead_for_dead(queue)
    start_worker()
    assert ended(batches, batch_id).succeeded == 2


def test_a_canceled_batch_stops_after_the_pass_in_hand(
    start_worker: StartWorker,
    batches: Batches,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
) -> None:
    batch_id = batches.submit(named(request_, *(f"1 seconds of {n}" for n in range(8))))
    start_worker(batch_size=1)
    until(lambda: passes(settings))
    view = batches.cancel(batch_id)
    assert queue.wait(queue.submit(request_), 60).status is Status.SUCCEEDED
    until(lambda: queue.depth() == 0)
    assert len(passes(settings)) <= 3
    assert batches.read(batch_id) == view
    assert len(list((settings.data_dir / "store" / "results").iterdir())) == 2  # the person's


def test_of_a_canceled_batch_the_chunk_in_hand_ends_and_the_others_are_never_begun(
    start_worker: StartWorker,
    batches: Batches,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    captions = ["2 seconds of red", *["0 seconds of red"] * 99]
    batch_id = batches.submit(named(request_, *captions))
    start_worker(batch_size=1)
    until(lambda: passes(settings))
    assert queue.depth() == 1
    batches.cancel(batch_id)
    assert queue.depth() == 0
    until(lambda: not queue.connection.zcard("rq:wip:wordbrush-batch"))
    assert queue.connection.keys("rq:job:*") == []
    assert '"level": "error"' not in capfd.readouterr().err


def test_a_person_waits_for_one_pass_of_a_batch_and_not_for_the_rest(
    start_worker: StartWorker,
    batches: Batches,
    queue: JobQueue,
    request_: Request,
    settings: Settings,
) -> None:
    batch_id = batches.submit(named(request_, *(f"1 seconds of {n}" for n in range(6))))
    start_worker(batch_size=2)
    until(lambda: passes(settings))
    person = queue.wait(queue.submit(replace(request_, caption="0 seconds of person")), 60)
    assert person.status is Status.SUCCEEDED
    assert batches.read(batch_id).pending >= 2
    assert passes(settings)[1] == ["0 seconds of person"]
    assert ended(batches, batch_id).succeeded == 6


def test_a_worker_that_is_told_to_stop_puts_its_chunk_back(
    start_worker: StartWorker, batches: Batches, request_: Request, settings: Settings
) -> None:
    batch_id = batches.submit(named(request_, *(f"1 seconds of {n}" for n in range(6))))
    worker = start_worker(batch_size=2)
    until(lambda: passes(settings))
    worker.terminate()
    assert worker.wait(30) == 0
    begun = batches.read(batch_id)
    assert (begun.succeeded, begun.status) == (2, Status.PROCESSING)
    start_worker(batch_size=2)
    assert ended(batches, batch_id).succeeded == 6
    assert all(len(together) == 2 for together in passes(settings))


def test_two_workers_share_a_batch(
    start_worker: StartWorker, batches: Batches, request_: Request
) -> None:
    batch_id = batches.submit(named(request_, *["red"] * 130))
    for _ in range(2):
        start_worker()
    view = ended(batches, batch_id)
    assert view.succeeded == 130
    assert all(one.status is Status.SUCCEEDED for one in batches.items(view, range(130)))
