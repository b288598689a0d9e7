"""How jobs leave the queues: in order, by LMOVE, so that none is between two places at once."""

import pytest
import redis
from rq.exceptions import DequeueTimeout
from rq.serializers import JSONSerializer

from worker.resident import LosslessQueue


@pytest.fixture
def client(valkey_url: str) -> redis.Redis:
    return redis.Redis.from_url(valkey_url)


@pytest.fixture
def queues(client: redis.Redis) -> list[LosslessQueue]:
    return [
        LosslessQueue(name, connection=client, serializer=JSONSerializer)
        for name in ("first", "second")
    ]


def take(queues: list[LosslessQueue], timeout: int | None = None) -> str | None:
    taken = LosslessQueue.dequeue_any(
        queues, timeout, queues[0].connection, serializer=JSONSerializer
    )
    return taken and taken[0].id


def test_the_first_queue_goes_first_whatever_came_earlier(queues: list[LosslessQueue]) -> None:
    first, second = queues
    jobs = [queue.enqueue_call("f").id for queue in (second, first, second, first)]
    assert [take(queues) for _ in jobs] == [jobs[1], jobs[3], jobs[0], jobs[2]]


def test_a_taken_job_stands_in_the_intermediate_queue(
    queues: list[LosslessQueue], client: redis.Redis
) -> None:
    jobs = [queue.enqueue_call("f").id for queue in queues]
    assert [take(queues), take(queues, timeout=5)] == jobs
    for name, job in zip(("first", "second"), jobs, strict=True):
        assert client.lrange(f"rq:queue:{name}:intermediate", 0, -1) == [job.encode()]


def test_a_job_whose_time_is_over_is_passed_over_and_leaves_no_trace(
    queues: list[LosslessQueue], client: redis.Redis
) -> None:
    gone, there = (queues[0].enqueue_call("f").id for _ in range(2))
    client.delete(f"rq:job:{gone}")
    assert take(queues) == there
    assert client.lrange("rq:queue:first:intermediate", 0, -1) == [there.encode()]


def test_empty_queues_give_nothing_or_time_out(queues: list[LosslessQueue]) -> None:
    assert take(queues) is None
    with pytest.raises(DequeueTimeout):
        take(queues, timeout=1)


def test_a_lock_of_a_killed_worker_is_soon_over(
    queues: list[LosslessQueue], client: redis.Redis
) -> None:
    assert queues[0].acquire_maintenance_lock()
    assert not queues[0].acquire_maintenance_lock()
    assert client.ttl(queues[0].registry_cleaning_key) <= 10
