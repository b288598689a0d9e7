"""Which jobs are taken along with one, off real queues, with workers played by hand."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from rq.job import Job
from rq.serializers import DefaultSerializer, JSONSerializer

from models.registry import Task
from worker.gathering import Gatherer
from worker.messages import Request
from worker.queue import INTERACTIVE, JobQueue, WorkerView
from worker.resident import LosslessQueue

FLOWERS = Request(Task.MANIPULATE, "tagan-flowers-64", "red", image_id="u")
CLOTHES = replace(FLOWERS, model="tagan-clothes-64")
Gather = Callable[[], tuple[str, list[str]]]


@pytest.fixture
def jobs(valkey_url: str) -> Iterator[JobQueue]:
    jobs = JobQueue(valkey_url)
    yield jobs
    jobs.connection.close()


@pytest.fixture
def queue(jobs: JobQueue) -> LosslessQueue:
    return LosslessQueue(INTERACTIVE, connection=jobs.connection, serializer=JSONSerializer)


@pytest.fixture
def gather(jobs: JobQueue, queue: LosslessQueue) -> Gather:
    """Takes the first job and what goes with it, four pictures at most; their ids."""

    def take() -> tuple[str, list[str]]:
        found = LosslessQueue.dequeue_any(
            [queue], None, queue.connection, serializer=JSONSerializer
        )
        assert found
        first = found[0]
        return first.id, [job.id for job in Gatherer(jobs, most=4)(first, queue)]

    return take


def test_what_waits_behind_a_job_and_is_like_it_goes_along(
    jobs: JobQueue, queue: LosslessQueue, gather: Gather
) -> None:
    first, other, second, third = (
        jobs.submit(request) for request in (FLOWERS, CLOTHES, FLOWERS, FLOWERS)
    )
    assert gather() == (first, [second, third])
    assert queue.job_ids == [other]
    assert queue.intermediate_queue.get_job_ids() == [first, second, third]


def test_another_task_of_the_same_model_does_not_go_along(jobs: JobQueue, gather: Gather) -> None:
    jobs.submit(FLOWERS)
    jobs.submit(replace(FLOWERS, task=Task.GENERATE))
    assert gather()[1] == []


def test_no_more_pictures_than_may_go_along(jobs: JobQueue, gather: Gather) -> None:
    counts = (1, 4, 2, 2, 1)
    ids = [jobs.submit(replace(FLOWERS, variations=count)) for count in counts]
    assert gather() == (ids[0], [ids[2], ids[4]])


def test_a_job_that_fills_the_pass_takes_none_along(jobs: JobQueue, gather: Gather) -> None:
    jobs.submit(replace(FLOWERS, variations=8))
    jobs.submit(FLOWERS)
    assert gather()[1] == []


@pytest.mark.parametrize(("workers", "taken"), [(1, 3), (2, 1), (3, 1), (4, 0), (9, 0)])
def test_what_waits_is_shared_with_the_other_workers(
    jobs: JobQueue, gather: Gather, workers: int, taken: int
) -> None:
    for number in range(workers):
        jobs.announce(WorkerView(f"w{number}", number, "here", "cpu", ()))
    for _ in range(4):
        jobs.submit(FLOWERS)
    assert len(gather()[1]) == taken


def test_a_job_that_was_retried_goes_alone(
    jobs: JobQueue, queue: LosslessQueue, gather: Gather
) -> None:
    retried = jobs.submit(FLOWERS)
    fresh = jobs.submit(FLOWERS)
    queue.connection.hset(Job.key_for(retried), "retries_left", 1)
    assert gather() == (retried, [])
    last = jobs.submit(FLOWERS)
    queue.connection.hset(Job.key_for(last), "retries_left", 1)
    assert gather() == (fresh, [])


def test_what_others_put_on_the_queue_is_not_taken_along(
    jobs: JobQueue, queue: LosslessQueue, gather: Gather
) -> None:
    jobs.submit(FLOWERS)
    for serializer in (JSONSerializer, DefaultSerializer):
        theirs = LosslessQueue(INTERACTIVE, connection=queue.connection, serializer=serializer)
        theirs.enqueue_call("os.system", args=("true",))
        theirs.enqueue_call("os.system", args=("true",), job_id=jobs.submit(FLOWERS))
    assert gather()[1] == []


def test_a_job_that_another_worker_has_taken_meanwhile_is_not_taken_twice(
    jobs: JobQueue, queue: LosslessQueue
) -> None:
    ids = [jobs.submit(FLOWERS) for _ in range(3)]
    first = Job.fetch(ids[0], connection=queue.connection, serializer=JSONSerializer)
    rivals = [Gatherer(jobs, most=4), Gatherer(jobs, most=4)]
    taken = [job.id for rival in rivals for job in rival(first, queue)]
    assert sorted(taken) == sorted(ids)
