"""Whoever wants to hear of an end does, whatever ended it and whoever dies. On a real Valkey."""

import pytest
import redis

from models.registry import Task
from worker.batch_records import Item
from worker.batches import Batches
from worker.messages import Failure, Request, Result
from worker.metrics import Tally
from worker.outbox import DUE, Delivery, DeliveryStatus, Outbox
from worker.queue import JobQueue, Terms
from worker.settings import Settings

REQUEST = Request(Task.GENERATE, "a-model", "red petals")
TERMS = Terms(webhook="https://example.org/hook?token=secret")


@pytest.fixture
def queue(settings: Settings) -> JobQueue:
    return JobQueue.from_settings(settings)


@pytest.fixture
def batches(settings: Settings) -> Batches:
    return Batches.from_settings(settings)


@pytest.fixture
def outbox(settings: Settings) -> Outbox:
    return Outbox(settings.redis_url)


def test_a_job_is_due_when_it_has_ended_and_not_before(queue: JobQueue, outbox: Outbox) -> None:
    queue.submit(REQUEST)  # nobody wants to hear of this one
    told, canceled = queue.submit(REQUEST, terms=TERMS), queue.submit(REQUEST, terms=TERMS)
    assert outbox.take(10, for_s=60) == []
    queue.finish(told, Result(()))
    queue.cancel(canceled)
    assert sorted(outbox.take(10, for_s=60)) == sorted([f"job:{told}", f"job:{canceled}"])
    assert queue.read(told).delivery == Delivery(TERMS.webhook or "")


def test_a_batch_is_due_when_its_last_item_is_done_or_it_is_canceled(
    batches: Batches, outbox: Outbox
) -> None:
    items = [Item("a", REQUEST), Item("b", REQUEST)]
    done, canceled = batches.submit(items, terms=TERMS), batches.submit(items, terms=TERMS)
    refused = batches.submit([Item("a", None, Failure("no", ""))], terms=TERMS)
    batches.note(done, "a-model", {0: Result(())})
    assert outbox.take(10, for_s=60) == [f"batch:{refused}"]
    batches.note(done, "a-model", {1: Failure("no", "")})
    batches.cancel(canceled)
    assert sorted(outbox.take(10, for_s=60)) == sorted([f"batch:{done}", f"batch:{canceled}"])


def test_what_ended_without_a_writer_is_looked_at_too(
    queue: JobQueue, outbox: Outbox, valkey_url: str
) -> None:
    subject = f"job:{queue.submit(REQUEST, terms=TERMS)}"
    with redis.Redis.from_url(valkey_url) as client:
        [(_, look_at)] = client.zrange(DUE, 0, -1, withscores=True)
        assert look_at == pytest.approx(client.time()[0] + 60, abs=30)
        client.zadd(DUE, {subject: 0})  # the time passes
    assert outbox.take(10, for_s=60) == [subject]


def test_a_subject_is_one_takers_until_its_time_is_over(queue: JobQueue, outbox: Outbox) -> None:
    subject = f"job:{queue.submit(REQUEST, terms=TERMS)}"
    queue.finish(subject[4:], Result(()))
    assert outbox.take(10, for_s=-1) == [subject]  # and its taker dies
    assert outbox.take(10, for_s=60) == [subject]
    assert outbox.take(10, for_s=60) == []


def test_a_settled_subject_never_comes_again_and_its_record_says_why(
    queue: JobQueue, outbox: Outbox, settings: Settings
) -> None:
    subject = f"job:{queue.submit(REQUEST, terms=TERMS)}"
    queue.finish(subject[4:], Result(()))
    tried = Delivery(TERMS.webhook or "", attempts=1, problem="the receiver answered 500")
    outbox.postpone(subject, tried, for_s=0)
    assert outbox.take(10, for_s=0) == [subject]
    outbox.settle(subject, tried, DeliveryStatus.GIVEN_UP)
    outbox.put_back(subject, for_s=0)  # by a taker that was slow
    assert outbox.take(10, for_s=0) == []
    delivery = queue.read(subject[4:]).delivery
    assert delivery is not None
    assert (delivery.status, delivery.problem) == (DeliveryStatus.GIVEN_UP, tried.problem)
    assert dict(Tally(queue.connection).webhooks()) == {"failed": 1, "given_up": 1}
