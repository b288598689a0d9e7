"""When a job will be done, from how long its like took."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.registry import Task
from worker.messages import Request
from worker.pace import Pace, read_paces
from worker.queue import JobQueue, Status, WorkerView
from worker.records import key_of, now

FLOWERS = Request(Task.MANIPULATE, "tagan-flowers-64", "red", image_id="u")
CLOTHES = replace(FLOWERS, model="tagan-clothes-64")


@pytest.fixture
def queue(valkey_url: str) -> JobQueue:
    return JobQueue(valkey_url)


def left(queue: JobQueue, job_id: str) -> float | None:
    return queue.seconds_left(queue.read(job_id))


def start_workers(queue: JobQueue, count: int) -> None:
    for number in range(count):
        queue.announce(WorkerView(f"w{number}", number, "here", "cpu", ()))


def test_what_was_never_done_has_no_estimate(queue: JobQueue) -> None:
    queue.note_pace(CLOTHES, seconds=1.0, pictures=1)
    assert left(queue, queue.submit(FLOWERS)) is None


def test_a_job_takes_what_its_pictures_took_lately(queue: JobQueue) -> None:
    for seconds in (2.0, 2.0, 90.0):  # one that was held up does not count for much
        queue.note_pace(FLOWERS, seconds=seconds, pictures=2)
    assert left(queue, queue.submit(replace(FLOWERS, variations=3))) == pytest.approx(3.0)


def test_a_preview_is_not_measured_by_full_resolution(queue: JobQueue) -> None:
    queue.note_pace(FLOWERS, seconds=9.0, pictures=1)
    queue.note_pace(replace(FLOWERS, full_resolution=False), seconds=0.1, pictures=1)
    job = queue.submit(replace(FLOWERS, full_resolution=False))
    assert left(queue, job) == pytest.approx(0.1)


def test_a_photo_is_measured_by_those_of_its_size_if_there_were_any(queue: JobQueue) -> None:
    small, large = (replace(FLOWERS, photo_pixels=side**2) for side in (64, 4000))
    queue.note_pace(small, seconds=0.1, pictures=1)
    assert left(queue, queue.submit(large)) == pytest.approx(0.1)
    queue.connection.delete("rq:queue:wordbrush-interactive")
    queue.note_pace(large, seconds=3.0, pictures=1)
    queue.note_pace(replace(large, format="png"), seconds=9.0, pictures=1)
    assert left(queue, queue.submit(replace(small, photo_pixels=65**2))) == pytest.approx(0.1)
    queue.connection.delete("rq:queue:wordbrush-interactive")
    assert left(queue, queue.submit(large)) == pytest.approx(3.0)


def test_a_model_that_no_worker_has_in_memory_is_loaded_first(queue: JobQueue) -> None:
    queue.note_pace(FLOWERS, seconds=1.0, pictures=1)
    queue.note_load(FLOWERS.model, 5.0)
    job = queue.submit(FLOWERS)
    assert left(queue, job) == pytest.approx(6.0)
    queue.announce(WorkerView("w", 1, "here", "cpu", (FLOWERS.model,)))
    assert left(queue, job) == pytest.approx(1.0)


# One takes all flowers together and clothes after them; of two, one has two flowers, then the job,
# while the other has clothes.
@pytest.mark.parametrize(("workers", "expected"), [(1, 3 * 1.0), (2, 2 * 1.0 + 1.0)])
def test_what_waits_goes_in_passes_and_is_shared_among_the_workers(
    queue: JobQueue, workers: int, expected: float
) -> None:
    start_workers(queue, workers)
    queue.note_pace(FLOWERS, seconds=1.0, pictures=1)
    queue.note_pace(CLOTHES, seconds=4.0, pictures=1)
    for request in (FLOWERS, CLOTHES, FLOWERS):
        queue.submit(request)
    assert left(queue, queue.submit(FLOWERS)) == pytest.approx(expected)


def test_what_only_batches_did_is_reckoned_by_them(queue: JobQueue) -> None:
    queue.note_pace(FLOWERS, seconds=4.0, pictures=8, batch=True)
    job = queue.submit(FLOWERS)
    assert left(queue, job) == pytest.approx(0.5)
    queue.note_pace(FLOWERS, seconds=1.0, pictures=1)
    assert left(queue, job) == pytest.approx(1.0)


def test_a_long_queue_is_reckoned_from_its_beginning(queue: JobQueue) -> None:
    queue.note_pace(FLOWERS, seconds=1.0, pictures=1)
    jobs = [queue.submit(FLOWERS) for _ in range(251)]
    assert left(queue, jobs[-1]) == pytest.approx(251.0)


def test_jobs_in_hand_delay_the_next_by_what_is_left_of_their_pass(queue: JobQueue) -> None:
    queue.note_pace(FLOWERS, seconds=4.0, pictures=1)
    queue.note_pace(CLOTHES, seconds=10.0, pictures=1)
    begun = (now() - timedelta(seconds=15)).isoformat()
    for _ in range(2):
        job = queue.submit(CLOTHES)
        queue.connection.zadd("rq:wip:wordbrush-interactive", {f"{job}:1": 2e9})
        queue.connection.hset(key_of(job), "started_at", begun)
    queue.connection.delete("rq:queue:wordbrush-interactive")
    assert left(queue, queue.submit(FLOWERS)) == pytest.approx(20 - 15 + 4, abs=1)


def test_what_else_is_in_hand_is_half_done_and_delays_the_next(queue: JobQueue) -> None:
    queue.note_pace(FLOWERS, seconds=4.0, pictures=1)
    queue.connection.zadd("rq:wip:wordbrush-interactive", {"somebody:1": 2e9})
    assert left(queue, queue.submit(FLOWERS)) == pytest.approx(2.0 + 4.0)


def test_a_job_that_has_just_ended_delays_nobody(queue: JobQueue) -> None:
    queue.note_pace(FLOWERS, seconds=4.0, pictures=1)
    ended = queue.submit(FLOWERS)
    queue.cancel(ended)
    queue.connection.zadd("rq:wip:wordbrush-interactive", {f"{ended}:1": 2e9})
    assert left(queue, queue.submit(FLOWERS)) == pytest.approx(4.0)


def test_a_job_that_runs_has_left_what_it_has_not_spent(queue: JobQueue) -> None:
    queue.note_pace(FLOWERS, seconds=50.0, pictures=1)
    job = queue.submit(FLOWERS)
    queue.connection.lpop("rq:queue:wordbrush-interactive")
    queue.mark(job, Status.STARTING)
    begun = (now() - timedelta(seconds=20)).isoformat()
    queue.connection.hset(key_of(job), "started_at", begun)
    assert left(queue, job) == pytest.approx(30.0, abs=5)


def test_an_ended_job_takes_no_more_time(queue: JobQueue) -> None:
    queue.note_pace(FLOWERS, seconds=1.0, pictures=1)
    job = queue.submit(FLOWERS)
    queue.cancel(job)
    assert left(queue, job) is None


def test_passes_of_many_tell_of_the_time_of_one(queue: JobQueue) -> None:
    queue.note_pace(FLOWERS, seconds=4.0, pictures=8)
    paces = read_paces(queue.connection, [FLOWERS])
    assert list(paces.values()) == [Pace(picture_s=0.5, pictures=8.0)]


def test_a_pass_takes_a_time_of_its_own_besides_its_pictures(queue: JobQueue) -> None:
    for pictures in (1, 8, 4, 1, 8, 2):
        queue.note_pace(FLOWERS, seconds=1.0 + 0.5 * pictures, pictures=pictures)
    queue.note_pace(FLOWERS, seconds=90.0, pictures=3)  # one that was held up
    assert left(queue, queue.submit(FLOWERS)) == pytest.approx(1.5)
    queue.connection.delete("rq:queue:wordbrush-interactive")
    assert left(queue, queue.submit(replace(FLOWERS, variations=6))) == pytest.approx(4.0)


def test_only_the_newest_passes_are_kept_and_not_for_ever(queue: JobQueue) -> None:
    for _ in range(40):
        queue.note_pace(FLOWERS, seconds=1.0, pictures=1)
    [key] = queue.connection.keys("wordbrush:pace:*")
    assert queue.connection.llen(key) == 15
    assert queue.connection.ttl(key) > 0
