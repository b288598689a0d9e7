"""Tells receivers that jobs and batches have ended, as Standard Webhooks has it.

Source: Standard Webhooks 1.0.0, https://www.standardwebhooks.com: the three headers, the signature,
the envelope of `type`, `timestamp` and `data`, and that a receiver which answers 410 wants no more.
`data` is what `GET /jobs/{id}` or `GET /batches/{id}` answers.
"""

import os
import random
import traceback
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import token_bytes, token_hex
from threading import Event, Lock, Thread
from time import time
from urllib.parse import urlsplit

import structlog
from standardwebhooks import Webhook

from app.outbound import ForbiddenAddress, Outbound, Unreachable
from app.settings import Settings
from worker.outbox import Delivery, DeliveryStatus, Outbox
from worker.queue import QueueDown

_log = structlog.get_logger(__name__)

_LOOK_S = 0.5  # between two looks at what is due, where nothing was
_AT_ONCE = 16  # attempts
_AT_ONCE_OF_A_HOST = 4  # so that one that hangs leaves room for others
_BUSY_S = 1.0  # when to look again where its host has so many
_GROWTH = 3.0  # of the time between attempts
_LONGEST_DELAY_S = 4 * 3600.0
STOP_S = 3.0  # for attempts under way; what is cut off is made again
_GONE = 410


class Secret:
    """What webhooks are signed with: the setting's, else the one in the data directory."""

    def __init__(self, settings: Settings) -> None:
        self._given = settings.webhook_secret
        self._path = settings.data_dir / "webhook-secret"

    def read(self) -> str:
        """`whsec_` and base64; made and kept where there is none.

        Raises:
            OSError: it can't be kept.
        """
        if self._given:
            return self._given.get_secret_value()
        if not self._path.exists():
            self._make()
        return self._path.read_text().strip()

    def _make(self) -> None:
        """In one step, so that of two processes both have the one that was first."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(f".{token_hex(4)}")
        unfinished.touch(mode=0o600)
        unfinished.write_text(f"whsec_{b64encode(token_bytes(32)).decode()}\n")
        with suppress(FileExistsError):
            os.link(unfinished, self._path)
        unfinished.unlink()

    def headers(self, message_id: str, text: str) -> Mapping[str, str]:
        """What goes with a message that is sent now."""
        at = datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.read()).sign(message_id, at, text),
        }


@dataclass(frozen=True)
class _Problem:
    """Why an attempt failed, in words for the person who asked."""

    words: str
    is_last: bool = False  # no other attempt would do better


class Sender:
    """Sends what is due; there may be several, in one process or many."""

    def __init__(
        self,
        outbox: Outbox,
        outbound: Outbound,
        compose: Callable[[str], str | None],
        secret: Secret,
        *,
        timeout_s: float,
        patience_s: float,
        first_delay_s: float = 5.0,
    ) -> None:
        """`compose` makes the message about a subject, None while that has not ended. An attempt
        takes `timeout_s` at most; after the first one it is tried for `patience_s`, less and less
        often from `first_delay_s` on.
        """
        self._outbox = outbox
        self._outbound = outbound
        self._compose = compose
        self._secret = secret
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._first_delay_s = first_delay_s
        self._busy: Counter[str] = Counter()  # attempts under way, by host
        self._lock = Lock()
        self._threads: list[Thread] = []

    def run(self, stop: Event) -> None:
        """Send what is due until `stop` is set."""
        pause_s = _LOOK_S
        while not stop.wait(pause_s):
            with _survived():
                pause_s = _LOOK_S / 10 if self._start_some() else _LOOK_S
        deadline = time() + STOP_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time()))

    def deliver(self, subject: str) -> None:
        """Tell of a subject, if it has ended; whatever breaks meanwhile is a failed attempt."""
        if (delivery := self._outbox.read(subject)) is None:
            return self._outbox.forget(subject)
        try:
            return self._deliver_to(subject, delivery)
        except QueueDown:
            raise
        except Exception as error:
            _log_fault(error, subject=subject)
            return self._note(subject, delivery, _Problem("something broke on the server"))

    def _deliver_to(self, subject: str, delivery: Delivery) -> None:
        if (text := self._message(subject)) is None:
            return None  # it comes again, at its end or after a while
        with self._seat(urlsplit(delivery.url).hostname or "") as is_free:
            if not is_free:
                return self._outbox.put_back(subject, for_s=_BUSY_S)
            problem = self._attempt(subject, delivery.url, text)
        return self._note(subject, delivery, problem)

    def _start_some(self) -> int:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        free = _AT_ONCE - len(self._threads)
        taken = self._outbox.take(free, for_s=3 * self._timeout_s) if free else []
        for subject in taken:
            thread = Thread(target=self._deliver, args=(subject,), name="webhook", daemon=True)
            self._threads.append(thread)
            thread.start()
        return len(taken)

    def _deliver(self, subject: str) -> None:
        with _survived(subject=subject):
            self.deliver(subject)

    def _message(self, subject: str) -> str | None:
        text = self._outbox.message(subject)
        if text is None and (text := self._compose(subject)):
            self._outbox.keep_message(subject, text)
        return text

    @contextmanager
    def _seat(self, host: str) -> Iterator[bool]:
        """Whether there is room for one more attempt at `host`, and if so it is taken."""
        with self._lock:
            is_free = self._busy[host] < _AT_ONCE_OF_A_HOST
            self._busy[host] += is_free
        try:
            yield is_free
        finally:
            with self._lock:
                self._busy[host] -= is_free
                self._busy += Counter()  # forgets hosts without any

    def _attempt(self, subject: str, url: str, text: str) -> _Problem | None:
        """What is wrong, None if the receiver has it."""
        try:
            headers = self._secret.headers(subject.replace(":", "_"), text)
            answer = self._outbound.post(url, text.encode(), headers, timeout_s=self._timeout_s)
        except (ForbiddenAddress, Unreachable) as error:
            return _Problem(str(error))
        except OSError:
            return _Problem("the service has no secret to sign with")
        if 200 <= answer.status < 300:
            return None
        return _Problem(f"the receiver answered {answer.status}", is_last=answer.status == _GONE)

    def _note(self, subject: str, delivery: Delivery, problem: _Problem | None) -> None:
        tried = replace(
            delivery,
            attempts=delivery.attempts + 1,
            problem=problem.words if problem else None,
            first_at=delivery.first_at or time(),
        )
        told = {"subject": subject, "attempt": tried.attempts}  # no address: it may have a secret
        if problem is None:
            self._outbox.settle(subject, tried, DeliveryStatus.DELIVERED)
            return _log.info("webhook delivered", **told)
        delay_s = self._delay_s(tried.attempts)
        if problem.is_last or time() + delay_s > (tried.first_at or 0) + self._patience_s:
            self._outbox.settle(subject, tried, DeliveryStatus.GIVEN_UP)
            return _log.error("webhook given up", problem=problem.words, **told)
        self._outbox.postpone(subject, tried, for_s=delay_s)
        return _log.warning("webhook failed", problem=problem.words, again_s=int(delay_s), **told)

    def _delay_s(self, attempts: int) -> float:
        """Longer and longer, and never for many at the same time."""
        delay_s = min(self._first_delay_s * _GROWTH ** (attempts - 1), _LONGEST_DELAY_S)
        return delay_s * random.uniform(0.5, 1.5)


@contextmanager
def _survived(**told: str) -> Iterator[None]:
    """Nothing that breaks in here ends the thread: what was taken comes again."""
    try:
        yield
    except QueueDown:
        pass
    except Exception as error:
        _log_fault(error, **told)


def _log_fault(error: Exception, **told: str) -> None:
    """What it was and where, without its message, which may have an address in it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{frame.filename}:{frame.lineno}"
    _log.error("webhook broke", fault=type(error).__name__, where=where, **told)
