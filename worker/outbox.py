"""Who wants to hear that a job or a batch has ended: an outbox in the queue server. Free of torch.

A subject, `job:<id>` or `batch:<id>`, is in one sorted set from its request on, with the time when
to look at it next. Its end brings that time forward, in the transaction that writes the end; what
ends without a writer, lost or too long in the queue, is found by looking. A subject leaves the set
when it was told of or given up, and whoever takes one has it for a while only: so no process that
dies takes one with it, and each is told of at least once.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from time import time
from typing import Any, Self

import redis
from redis.client import Pipeline

from worker.connection import PATIENCE_S, connect, outages_named
from worker.metrics import count_webhook

DUE = "wordbrush:webhooks"
GIVEN_UP = "wordbrush:webhooks:given-up"  # subjects, by when they were
CURSOR_PATTERN = r"^\d{1,12}(\.\d{1,9})?$"
FIELD = "webhook"  # of a record

_LOOK_S = 60.0  # between two looks at what has not ended
_MESSAGE_TTL_S = 3 * 24 * 3600
_GIVEN_UP_TTL_S = 30 * 24 * 3600
# In one step: what is due is nobody else's for a while.
_TAKE = """
local due = redis.call('zrangebyscore', KEYS[1], '-inf', ARGV[1], 'limit', 0, ARGV[3])
for _, subject in ipairs(due) do redis.call('zadd', KEYS[1], ARGV[2], subject) end
return due
"""


class DeliveryStatus(StrEnum):
    """How far a webhook has come."""

    WAITING = "waiting"  # for the end, or for the next attempt
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True)
class Delivery:
    """A webhook and what became of it."""

    url: str
    status: DeliveryStatus = DeliveryStatus.WAITING
    attempts: int = 0
    problem: str | None = None  # of the last attempt
    first_at: float | None = None  # of the first attempt, in seconds since 1970

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def in_record(cls, record: Mapping[str, str]) -> Self | None:
        """Of the job or batch with this record; None where nobody wants to hear of it."""
        if FIELD not in record:
            return None
        data = json.loads(record[FIELD])
        return cls(**data | {"status": DeliveryStatus(data["status"])})


@dataclass(frozen=True)
class GivenUp:
    """A webhook of which no more attempts are made."""

    subject: str
    delivery: Delivery
    at: float  # in seconds since 1970


def job(job_id: str) -> str:
    """The subject that is a job."""
    return f"job:{job_id}"


def batch(batch_id: str) -> str:
    """The subject that is a batch."""
    return f"batch:{batch_id}"


def expect(pipe: Pipeline, subject: str, url: str) -> None:
    """With all else in `pipe`, which writes the record: `url` is to hear how it ends."""
    pipe.hset(_record(subject), FIELD, Delivery(url).to_text())
    pipe.zadd(DUE, {subject: time() + _LOOK_S})


def hasten(pipe: Pipeline, subject: str) -> None:
    """With all else in `pipe`: it has ended; nothing where nobody wants to hear of it."""
    pipe.zadd(DUE, {subject: time()}, xx=True, lt=True)


class Outbox:
    """What is to be told, taken and settled by any of several senders.

    Each method raises QueueDown when the queue server can't be reached.
    """

    def __init__(self, redis_url: str, *, patience_s: float = PATIENCE_S) -> None:
        """`patience_s` is for a queue server that is silent."""
        self._connection: redis.Redis = connect(redis_url, patience_s=patience_s)
        self._take = self._connection.register_script(_TAKE)

    @outages_named()
    def take(self, most: int, *, for_s: float) -> list[str]:
        """Subjects that it is time to look at; each comes again after `for_s` unless settled."""
        found: Any = self._take(keys=[DUE], args=[time(), time() + for_s, most])
        return [subject.decode() for subject in found]

    @outages_named()
    def read(self, subject: str) -> Delivery | None:
        text: Any = self._connection.hget(_record(subject), FIELD)
        return _delivery(text)

    @outages_named()
    def message(self, subject: str) -> str | None:
        """What is told, as the first attempt wrote it down: each attempt says the same."""
        text: Any = self._connection.get(_message(subject))
        return text.decode() if text else None

    @outages_named()
    def keep_message(self, subject: str, text: str) -> None:
        self._connection.set(_message(subject), text, ex=_MESSAGE_TTL_S)

    @outages_named()
    def put_back(self, subject: str, *, for_s: float) -> None:
        """Nothing was attempted: look at it again after `for_s`."""
        self._connection.zadd(DUE, {subject: time() + for_s}, xx=True)

    @outages_named()
    def postpone(self, subject: str, delivery: Delivery, *, for_s: float) -> None:
        """An attempt failed, and the next is to be made after `for_s`."""
        with self._connection.pipeline() as pipe:
            pipe.hset(_record(subject), FIELD, delivery.to_text())
            pipe.zadd(DUE, {subject: time() + for_s}, xx=True)
            count_webhook(pipe, "failed")
            pipe.execute()

    @outages_named()
    def settle(self, subject: str, delivery: Delivery, status: DeliveryStatus) -> None:
        """No more attempts are to be made."""
        with self._connection.pipeline() as pipe:
            pipe.hset(_record(subject), FIELD, replace(delivery, status=status).to_text())
            pipe.zrem(DUE, subject)
            if status is DeliveryStatus.GIVEN_UP:
                pipe.zadd(GIVEN_UP, {subject: time()})
                pipe.expire(GIVEN_UP, _GIVEN_UP_TTL_S)
            else:
                pipe.delete(_message(subject))
            count_webhook(pipe, status.value)
            pipe.execute()

    @outages_named()
    def given_up(
        self, *, cursor: str | None = None, limit: int = 20
    ) -> tuple[list[GivenUp], str | None]:
        """Those that were given up last, or before `cursor`, which a page before gave; and where
        the next page begins, None after the last.
        """
        before: Any = f"({cursor}" if cursor else "+inf"
        listed: Any = self._connection.zrevrangebyscore(
            GIVEN_UP, before, "-inf", start=0, num=limit + 1, withscores=True
        )
        page = [(subject.decode(), at) for subject, at in listed[:limit]]
        with self._connection.pipeline() as pipe:
            for subject, _ in page:
                pipe.hget(_record(subject), FIELD)
            deliveries = map(_delivery, pipe.execute())
        found = []
        for (subject, at), delivery in zip(page, deliveries, strict=True):
            if delivery is None:
                self._connection.zrem(GIVEN_UP, subject)  # forgotten, with its record
            else:
                found.append(GivenUp(subject, delivery, at))
        return found, repr(page[-1][1]) if len(listed) > limit else None

    @outages_named()
    def send_again(self, subject: str, delivery: Delivery) -> Delivery:
        """Attempts are made anew, the first one now; how it stands then."""
        if delivery.status is DeliveryStatus.WAITING:
            self._connection.zadd(DUE, {subject: time()}, xx=True, lt=True)
            return delivery
        anew = Delivery(delivery.url)
        with self._connection.pipeline() as pipe:
            pipe.hset(_record(subject), FIELD, anew.to_text())
            pipe.zrem(GIVEN_UP, subject)
            pipe.zadd(DUE, {subject: time()})
            pipe.execute()
        return anew

    @outages_named()
    def forget(self, subject: str) -> None:
        """Its record is gone, and with it whom to tell."""
        self._connection.zrem(DUE, subject)

    def close(self) -> None:
        self._connection.close()


def _delivery(text: bytes | None) -> Delivery | None:
    return Delivery.in_record({FIELD: text.decode()}) if text else None


def _record(subject: str) -> str:
    """Where the job's or the batch's record is: as records.py and batches.py have them."""
    return f"wordbrush:{subject}"


def _message(subject: str) -> str:
    return f"wordbrush:webhook:{subject}"
