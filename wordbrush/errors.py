"""What can go wrong, each with what the server said of it."""

from collections.abc import Mapping, Sequence
from typing import Any


class WordbrushError(Exception):
    """Any of the errors here."""


class BadAddress(WordbrushError):
    """What was given as the server's address is none."""


class Unreachable(WordbrushError):
    """The server does not answer."""

    def __init__(self, message: str, *, was_reached: bool = False) -> None:
        super().__init__(message)
        self.was_reached = was_reached  # it took a connection, which was cut off


class BadKey(WordbrushError):
    """What was given as an API key can be none."""


class BadAnswer(WordbrushError):
    """What answered is no Wordbrush server, or none that is understood here."""


class TooLong(WordbrushError):
    """It took longer than was to be waited; the work may go on."""


class Refused(WordbrushError):
    """The server does not do what was asked (RFC 9457 problem)."""

    def __init__(
        self, status: int, problem: Mapping[str, Any], *, retry_after_s: float | None = None
    ) -> None:
        self.status = status  # of HTTP
        self.retry_after_s = retry_after_s  # when to ask again, if the server said it
        self.title = str(problem.get("title") or f"HTTP {status}")
        self.detail = str(problem.get("detail") or "")
        self.errors: Sequence[Mapping[str, str]] = problem.get("errors") or ()  # field and message
        self.suggestions: Sequence[str] = problem.get("suggestions") or ()
        super().__init__(f"{self.title}: {self.detail}" if self.detail else self.title)


_ENDS = {"failed": "it failed", "canceled": "it was canceled", "expired": "it has expired"}


class JobFailed(WordbrushError):
    """The job ended without pictures; `job` has the rest."""

    def __init__(self, job: Any) -> None:
        self.job = job
        why = f"{job.error.title}: {job.error.detail}" if job.error else _ENDS[job.status]
        super().__init__(f"job {job.id}: {why}")


class JobCanceled(JobFailed):
    """The job was canceled, so there are no pictures; nothing is wrong with it."""
