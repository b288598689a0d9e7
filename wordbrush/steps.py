"""What both clients do, as steps: calls to be sent and pauses to be made. Nothing here touches a
network or waits.

Steps are a generator. Whoever takes them sends each call and gives back the response, or the error
that there was instead, sleeps at each pause, and has the answer at the end.
"""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import inf
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from wordbrush import calls
from wordbrush.answers import Answer, Batch, BatchItem, Job, Model, Output, Webhook
from wordbrush.calls import Call, Photo
from wordbrush.errors import BadAnswer, JobCanceled, JobFailed, Refused, TooLong, Unreachable

ABSENCE_S = 90.0  # how long a server may be away that is at work for us; a restart takes seconds
_TRIES = 4  # of a request that a server could not take, or that was cut off
_LONGEST_REST_S = 60.0  # between them, in all, where nobody says how long he waits
_NOT_DONE = (429, 503)
_PERHAPS_DONE = (502, 504)  # what stands before the server had no answer of it
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_NOT_THERE = (404, 405)
_IS_IT_RIGHT = "; is the address right?"
_CUT_OFF = (  # of a connection that was there
    httpx.ReadError,
    httpx.RemoteProtocolError,
    httpx.WriteError,
)
_ITEMS_A_PAGE = 500

T = TypeVar("T")
A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Pause:
    """Nothing is to be done for a while."""

    seconds: float
    news: str | None = None  # what whoever waits wants to hear


Steps = Generator[Call | Pause, httpx.Response | httpx.TransportError | None, T]


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list, and what names the page after it; None after the last."""

    entries: list[T]
    next: Any


class Patience:
    """How often a request that came to nothing is sent again, and when: a few times, or for
    `absence_s` seconds where the server is at work for us and only has to come back, which
    `once_reached_s` says of one that took the request's connection, or whose gateway did; never
    after `until`, by the monotonic clock.
    """

    def __init__(
        self,
        absence_s: float | None = None,
        *,
        once_reached_s: float | None = None,
        until: float = inf,
    ) -> None:
        self._absence_s, self._once_reached_s = absence_s, once_reached_s
        self._until = until
        self._rested_s = 0.0
        self._failures, self._began_at = 0, time.monotonic()

    def after(self, call: Call, error: Refused | Unreachable) -> Pause:
        """Until the request is sent again.

        Raises:
            Refused, Unreachable: `error`, where it is not.
        """
        if not self._failures:
            self._began_at = time.monotonic()
        self._failures += 1
        if self._once_reached_s is not None and _was_taken(error):
            self._absence_s = self._once_reached_s
        seconds = self._seconds(error)
        if not (_may_pass(call, error) and self._has_time(seconds)):
            raise error
        self._rested_s += seconds
        is_news = self._absence_s is not None and self._failures == _TRIES
        return Pause(seconds, self._news(error) if is_news else None)

    def left_s(self) -> float:
        """Until nobody waits any more."""
        return self._until - time.monotonic()

    def _seconds(self, error: Refused | Unreachable) -> float:
        if isinstance(error, Refused) and error.retry_after_s is not None:
            return error.retry_after_s
        return float(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self._failures))

    def _has_time(self, seconds: float) -> bool:
        """Also after a pause of so many."""
        at = time.monotonic() + seconds
        if at > self._until:
            return False
        if self._absence_s is None:
            return self._failures < _TRIES and self._rested_s + seconds <= _LONGEST_REST_S
        return at <= self._began_at + self._absence_s

    def _news(self, error: Refused | Unreachable) -> str:
        return f"{error}; the work there may go on, trying again for {self._absence_s:g} s"


def send(call: Call, patience: Patience | None = None) -> Steps[httpx.Response]:
    """The response; what was cut off, or came while the server was full, is sent again."""
    patience = patience or Patience()
    while True:
        answer = yield call
        try:
            if isinstance(answer, httpx.Response):
                return check(answer)
            assert answer is not None, "a call is answered"
            raise away(answer) from answer
        except (Refused, Unreachable) as error:
            rest = patience.after(call, error)
        yield rest
        call.rewind()
        call.wait_at_most(patience.left_s())


def _may_pass(call: Call, error: Refused | Unreachable) -> bool:
    """Whether it may be otherwise next time, and asking again does no harm."""
    if isinstance(error, Unreachable) or error.status in _NOT_DONE:
        return True
    return error.status in _PERHAPS_DONE and call.is_repeatable


def _was_taken(error: Refused | Unreachable) -> bool:
    """Whether somebody had the request, though perhaps not as far as the server itself."""
    if isinstance(error, Unreachable):
        return error.was_reached
    return error.status in _PERHAPS_DONE


def models() -> Steps[list[Model]]:
    def read(answer: Any) -> list[Model]:
        return list(map(Model.read, answer["models"]))

    return (yield from _ask(Call("GET", "/models"), read))


def store_image(photo: Photo) -> Steps[str]:
    def read(answer: Any) -> str:
        image_id: str = answer["image_id"]
        return image_id

    files = {"image": ("photo", calls.read(photo))}
    return (yield from _ask(Call("POST", "/images", files=files), read))


def finished(call: Call, wait_s: float, absence_s: float) -> Steps[Job]:
    """The job that a call asks for, at its end; as it is where `wait_s` is 0."""
    if not wait_s:
        return (yield from _job(call))
    until = time.monotonic() + wait_s
    job = yield from _job(call, Patience(once_reached_s=absence_s, until=until))
    return (yield from _wait(job, wait_s, absence_s, until))


def job(job_id: str) -> Steps[Job]:
    return (yield from _job(Call("GET", f"/jobs/{_named(job_id)}")))


def jobs(wanted: Mapping[str, Any], cursor: str | None) -> Steps[Page[Job]]:
    params = {**wanted, "cursor": cursor} if cursor else wanted
    return (yield from _ask(Call("GET", "/jobs", params=params), _page("jobs", Job)))


def wait(job: Job, wait_s: float, absence_s: float) -> Steps[Job]:
    return (yield from _wait(job, wait_s, absence_s, time.monotonic() + wait_s))


def _wait(job: Job, wait_s: float, absence_s: float, until: float) -> Steps[Job]:
    looks = 0
    while not job.is_done:
        if time.monotonic() >= until:
            raise TooLong(f"job {job.id} was not done in {wait_s:g} s: it is {job.status}")
        yield _until_next_look(job.eta_s, looks, until)
        call = Call("GET", f"/jobs/{job.id}")
        job, looks = (yield from _job(call, Patience(absence_s, until=until))), looks + 1
    if job.status == "canceled":
        raise JobCanceled(job)
    if job.status != "succeeded":
        raise JobFailed(job)
    return job


def cancel(job: Job) -> Steps[Job]:
    return (yield from _job(Call("POST", f"/jobs/{job.id}/cancel")))


def image(output: Output) -> Steps[bytes]:
    return (yield from send(Call("GET", output.image))).content


def animation(job: Job, format: str) -> Steps[bytes]:
    call = Call("GET", f"/jobs/{job.id}/animation", params={"format": format})
    return (yield from send(call)).content


def create_batch(call: Call, absence_s: float) -> Steps[Batch]:
    return (yield from _batch(call, Patience(once_reached_s=absence_s)))


def batch(batch_id: str) -> Steps[Batch]:
    return (yield from _batch(Call("GET", f"/batches/{_named(batch_id)}")))


def batch_items(batch: Batch, first: int | None) -> Steps[Page[BatchItem]]:
    params = {"first": first or 0, "limit": _ITEMS_A_PAGE}
    call = Call("GET", f"/batches/{batch.id}/items", params=params)
    return (yield from _ask(call, _page("items", BatchItem)))


def wait_for_batch(
    batch: Batch, wait_s: float, absence_s: float, on_progress: Callable[[Batch], object]
) -> Steps[Batch]:
    until, looks = time.monotonic() + wait_s, 0
    while not batch.is_done:
        if time.monotonic() >= until:
            raise TooLong(f"batch {batch.id} was not done in {wait_s:g} s")
        yield _until_next_look(None, looks, until)
        call = Call("GET", f"/batches/{batch.id}")
        batch, looks = (yield from _batch(call, Patience(absence_s, until=until))), looks + 1
        on_progress(batch)
    return batch


def cancel_batch(batch: Batch) -> Steps[Batch]:
    return (yield from _batch(Call("POST", f"/batches/{batch.id}/cancel")))


def webhooks(cursor: str | None) -> Steps[Page[Webhook]]:
    params = {"cursor": cursor} if cursor else None
    call = Call("GET", "/webhooks", params=params)
    return (yield from _ask(call, _page("webhooks", Webhook)))


def resend_webhook(webhook_id: str) -> Steps[None]:
    yield from send(Call("POST", f"/webhooks/{_named(webhook_id)}/resend"))


def _named(id: str) -> str:
    """An id that somebody gave, as one step of a path whatever is in it."""
    return quote(id, safe="").replace(".", "%2E")


def check(response: httpx.Response) -> httpx.Response:
    """The response, if it is none of a refusal; its body has been read.

    Raises:
        Refused: it is one.
        BadAnswer: it leads to another address, and what was sent goes to none but the one given.
    """
    if response.is_success:
        return response
    if response.next_request:
        there = _shown(response.next_request.url)
        raise BadAnswer(f"{_shown(response.url)} leads to {there}{_IS_IT_RIGHT}")
    try:
        problem = response.json()
    except ValueError:
        problem = None
    raise Refused(
        response.status_code,
        problem if isinstance(problem, dict) else {"detail": _silence(response)},
        retry_after_s=_retry_after_s(response.headers),
    )


def _silence(response: httpx.Response) -> str:
    is_elsewhere = response.status_code in _NOT_THERE
    return f"{_shown(response.url)} does not say why" + _IS_IT_RIGHT * is_elsewhere


def _retry_after_s(headers: httpx.Headers) -> float | None:
    """The seconds of `Retry-After`, or until its date (RFC 9110, 10.2.3 and 5.6.7: in any of three
    forms, always in UTC); None without.
    """
    said = headers.get("retry-after", "")
    if said.isascii() and said.isdecimal():
        return float(said)
    try:
        at = parsedate_to_datetime(said)
        left = at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)  # asctime's names no zone
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, left.total_seconds())


def check_kind(response: httpx.Response, kind: str) -> httpx.Response:
    """The response, if it is of this media type.

    Raises:
        BadAnswer: it is not.
    """
    if response.headers.get("content-type", "").split(";")[0] != kind:
        raise _bad_answer(response, kind)
    return response


def away(error: httpx.TransportError) -> Unreachable:
    """What to raise for it."""
    server = error.request.url
    return Unreachable(
        f"{server.scheme}://{server.netloc.decode()} does not answer: "
        f"{str(error) or type(error).__name__}",
        was_reached=isinstance(error, _CUT_OFF),
    )


def _ask(call: Call, read: Callable[[Any], T], patience: Patience | None = None) -> Steps[T]:
    """What `read` makes of the JSON that is answered."""
    response = yield from send(call, patience)
    try:
        return read(response.json())
    except (ValueError, LookupError, TypeError):
        raise _bad_answer(response, "its JSON") from None


def _bad_answer(response: httpx.Response, wanted: str) -> BadAnswer:
    kind = response.headers.get("content-type", "an unknown type")
    return BadAnswer(
        f"{_shown(response.url)} does not answer as a Wordbrush server does: it sent {kind}, "
        f"wanted {wanted}{_IS_IT_RIGHT}"
    )


def _shown(url: httpx.URL) -> str:
    """Without what is secret in it."""
    return str(url.copy_with(userinfo=b"", query=None))


def _page(name: str, kind: type[A]) -> Callable[[Any], Page[A]]:
    """Reads a page of answers, which are under `name`."""
    return lambda page: Page(list(map(kind.read, page[name])), page["next"])


def _job(call: Call, patience: Patience | None = None) -> Steps[Job]:
    return (yield from _ask(call, Job.read, patience))


def _batch(call: Call, patience: Patience | None = None) -> Steps[Batch]:
    return (yield from _ask(call, Batch.read, patience))


def _until_next_look(eta_s: float | None, looks: int, until: float) -> Pause:
    """Until it is worth while to look at something unfinished again, and not longer."""
    seconds = _FIRST_PAUSE_S * 1.5**looks if eta_s is None else max(_FIRST_PAUSE_S, eta_s / 2)
    return Pause(max(0.0, min(_LONGEST_PAUSE_S, seconds, until - time.monotonic())))
