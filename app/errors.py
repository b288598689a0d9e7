"""Refusals and faults as RFC 9457 problems: each is a class here, and turned into a response once.

A problem says what was wrong and what was wanted, in words of ours: it never repeats what was
sent, but for the names of a batch's columns. Its `type` is a place on the page of the API,
`/docs#problem-<type>`.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_problem.handler import ExceptionHandler, PostHook, new_exception_handler
from rfc9457 import Problem, StatusProblem
from rfc9457.openapi import problem_component, problem_response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.catalogue import UnknownModel
from app.keys import BadKeyFile
from app.middleware import add_headers
from app.openai_errors import for_openai
from app.outbound import AnswerTooLarge, ForbiddenAddress, Unreachable
from app.templates import Templates, asks_for_a_page
from worker.batch_records import UnknownBatch
from worker.connection import QueueSilent
from worker.crops import BadCrop
from worker.idempotency import KeyReused
from worker.imports import UnknownImport
from worker.pictures import BadPicture, NotAPicture, TooLarge
from worker.queue import QueueDown, QueueFull, UnknownJob
from worker.store import NotStored, StoreDown

_log = logging.getLogger(__name__)

TYPE_URI = "/docs#problem-{type}"


class FieldError(TypedDict):
    """What is wrong with one field of a request."""

    field: str
    message: str


class BadRequest(StatusProblem):
    status, type_, title = 400, "bad-request", "The request cannot be read"


class Unauthorized(StatusProblem):
    status, type_, title = 401, "no-key", "This takes an API key"
    headers_ = {"WWW-Authenticate": "Bearer"}  # noqa: RUF012 (as below)


class Forbidden(StatusProblem):
    status, type_, title = 403, "not-allowed", "The key is not good for this"


class NotOffered(StatusProblem):
    status, type_, title = 403, "not-offered", "This service does not offer that"


class NotFound(StatusProblem):
    status, type_, title = 404, "not-found", "There is nothing here"


class MethodNotAllowed(StatusProblem):
    status, type_, title = 405, "method-not-allowed", "This address does not take that method"


class Conflict(StatusProblem):
    status, type_, title = 409, "conflict", "It does not stand so that this can be done"


class Gone(StatusProblem):
    status, type_, title = 410, "gone", "It was here and is no longer kept"


class ContentTooLarge(StatusProblem):
    status, type_, title = 413, "too-large", "The upload is too large"


class UnsupportedMedia(StatusProblem):
    status, type_, title = 415, "not-a-picture", "The upload is not a picture that can be read"


class UnusablePicture(StatusProblem):
    status, type_, title = 422, "unusable-picture", "The picture cannot be edited"


class InvalidRequest(StatusProblem):
    """Fields that cannot be used, each with what was wanted; `extras` go beside them."""

    status, type_, title = 422, "invalid-request", "The request has fields that cannot be used"

    def __init__(self, errors: Iterable[FieldError], **extras: Any) -> None:
        listed = list(errors)
        detail = "; ".join(f"{error['field']}: {error['message']}" for error in listed)
        super().__init__(detail, errors=listed, **extras)

    @classmethod
    def of(cls, field: str, message: str, **extras: Any) -> "InvalidRequest":
        """The refusal of one field."""
        return cls([FieldError(field=field, message=message)], **extras)


class RefusedAddress(StatusProblem):
    status, type_, title = 422, "refused-address", "The address is not one that this service calls"


class NoAnswer(StatusProblem):
    status, type_, title = 422, "no-answer", "The address gives no answer that can be used"


class TooManyRequests(StatusProblem):
    status, type_, title = 429, "too-many-requests", "The key has asked too often"


class ServerFault(StatusProblem):
    """A fault of ours; what it was goes to the log and not over the wire."""

    status, type_, title = 500, "server-fault", "Something broke on the server"

    def __init__(self, _reason: str | None = None) -> None:
        super().__init__("the request may be right; the log has the cause under the request's id")


class Unavailable(StatusProblem):
    status, type_, title = 503, "unavailable", "The service cannot take work now"
    headers_ = {"Retry-After": "5"}  # noqa: RUF012 (the library declares it as a plain attribute)


PROBLEMS: tuple[type[StatusProblem], ...] = (
    BadRequest,
    Unauthorized,
    Forbidden,
    NotOffered,
    NotFound,
    MethodNotAllowed,
    Conflict,
    Gone,
    ContentTooLarge,
    UnsupportedMedia,
    UnusablePicture,
    InvalidRequest,
    RefusedAddress,
    NoAnswer,
    TooManyRequests,
    ServerFault,
    Unavailable,
)

KEYS_UNREADABLE = "the file of API keys cannot be read: nobody with a key is let in"

# From the exceptions of the parts to problems; the first row that fits counts.
_TRANSLATIONS: Mapping[type[Exception], Callable[[Any], Problem]] = {
    TooLarge: lambda error: ContentTooLarge(str(error)),
    NotAPicture: lambda error: UnsupportedMedia(str(error)),
    BadPicture: lambda error: UnusablePicture(str(error)),
    BadCrop: lambda error: InvalidRequest.of("crop", str(error)),
    UnknownJob: lambda _: NotFound("there is no such job: its id is wrong, or it was long ago"),
    UnknownBatch: lambda _: NotFound("there is no such batch: its id is wrong, or it was long ago"),
    UnknownImport: lambda _: NotFound(
        "there is no such import: its id is wrong, or it was long ago"
    ),
    NotStored: lambda _: Gone("the picture is no longer kept: ask for it again"),
    StoreDown: lambda _: Unavailable("the store cannot be reached: nothing was taken on"),
    UnknownModel: lambda error: InvalidRequest.of("model", str(error), suggestions=error.known),
    KeyReused: lambda error: InvalidRequest.of("Idempotency-Key", str(error)),
    ForbiddenAddress: lambda error: RefusedAddress(str(error)),
    Unreachable: lambda error: NoAnswer(str(error)),
    AnswerTooLarge: lambda error: ContentTooLarge(str(error)),
    BadKeyFile: lambda _: Unavailable(KEYS_UNREADABLE),
    QueueFull: lambda _: Unavailable("the queue is full: try again later"),
    QueueSilent: lambda _: Unavailable("the queue does not answer: try again later"),
    QueueDown: lambda _: Unavailable("the queue cannot be reached: nothing was taken on"),
}
_FORESEEN = (Problem, HTTPException, RequestValidationError, *_TRANSLATIONS)


def install(app: FastAPI, templates: Templates) -> None:
    """Every error of `app` becomes a problem: ours, the framework's and what nobody foresaw.

    A person whose browser goes where there is nothing sees a page instead.
    """
    handler = new_exception_handler(
        pre_hooks=[_log_unforeseen],
        handlers={kind: _translated(into) for kind, into in _TRANSLATIONS.items()},
        unhandled_wrappers={"default": ServerFault},
        post_hooks=[_for_people(templates), _with_headers, _for_openai],
        http_exception_handler=_from_http,
        request_validation_handler=_from_validation,
        documentation_uri_template=TYPE_URI,
    )

    async def handle(request: Request, error: Exception) -> Response:
        """On the event loop: a plain function would wait for a thread, to say that none is free."""
        return handler(request, error)

    for kind in (*_FORESEEN, Exception):
        app.add_exception_handler(kind, handle)


def to_response(problem: Problem, request: Request) -> Response:
    """The answer to `request` that says `problem`, for what stands before the routes."""
    content = for_openai(problem.marshal(uri=TYPE_URI), request.url.path)
    headers = dict(problem.headers or {})
    return JSONResponse(content, problem.status, headers, "application/problem+json")


def responses(*problems: type[StatusProblem]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems, for its OpenAPI entry."""
    by_status: dict[int | str, list[type[StatusProblem]]] = {}
    for problem in problems:
        by_status.setdefault(problem.status, []).append(problem)
    return {status: _documented(kinds) for status, kinds in by_status.items()}


def component() -> dict[str, Any]:
    """The OpenAPI schema that all problems share."""
    text = {"type": "string"}
    error = {
        "type": "object",
        "properties": {"field": text, "message": text},
        "required": ["field", "message"],
    }
    return problem_component(
        "Problem",
        detail=text | {"description": "What was wrong, and what was wanted."},
        errors={"type": "array", "items": error, "description": "One for each field at fault."},
        suggestions={"type": "array", "items": text, "description": "What would work instead."},
    )


def _documented(kinds: list[type[StatusProblem]]) -> dict[str, Any]:
    return problem_response("; ".join(kind.title for kind in kinds), [_example(k) for k in kinds])


def _example(kind: type[StatusProblem]) -> dict[str, Any]:
    if kind is InvalidRequest:
        return InvalidRequest.of("seed", "Input should be a valid integer").marshal(uri=TYPE_URI)
    return kind("what was wrong, and what was wanted").marshal(uri=TYPE_URI)


def _log_unforeseen(request: Request, error: Exception) -> None:
    """One line that ties the request's id to the traceback, which the server logs itself."""
    if not isinstance(error, _FORESEEN):
        _log.error("request %s failed: %s", request.state.request_id, type(error).__name__)


def _with_headers(
    content: dict[str, Any], request: Request, response: Response
) -> tuple[dict[str, Any], Response]:
    """A fault's answer is made outside of all middleware, so what that adds is added here too."""
    add_headers(response.headers, request.state.request_id)
    return content, response


def _for_people(templates: Templates) -> PostHook[Any]:
    def show_page(
        content: dict[str, Any], request: Request, response: Response
    ) -> tuple[dict[str, Any], Response]:
        if response.status_code == 404 and asks_for_a_page(request):
            page = templates.show(request, "lost.html", status_code=404)
            return content, page
        return content, response

    return show_page


def _for_openai(
    content: dict[str, Any], request: Request, response: Response
) -> tuple[dict[str, Any], Response]:
    said = for_openai(content, request.url.path)
    if said != content:
        response.body = response.render(said)
    return said, response


def _translated(into: Callable[[Any], Problem]) -> Callable[..., Problem]:
    return lambda _handler, _request, error: into(error)


def _from_http(_handler: ExceptionHandler, _request: Request, error: HTTPException) -> Problem:
    """The framework's own refusals: no such route, wrong method, a body that cannot be parsed."""
    match error.status_code:
        case 404:
            return NotFound("this address leads nowhere, wanted one of those at /docs")
        case 405:
            return MethodNotAllowed(
                "wanted one of those in the Allow header", dict(error.headers or {})
            )
        case 413:
            return ContentTooLarge(error.detail)
        case _:
            return BadRequest(error.detail)


def _from_validation(
    _handler: ExceptionHandler, _request: Request, error: RequestValidationError
) -> Problem:
    """Field and wish of each error; `input` and `ctx`, which repeat what was sent, are left out."""
    listed = error.errors()
    if any(found["type"] == "json_invalid" for found in listed):
        return BadRequest("the body is no JSON, wanted an object with the fields at /docs")
    return InvalidRequest(
        FieldError(
            field=".".join(str(part) for part in found["loc"][1:]) or "body",
            message=found["msg"].removeprefix("Value error, "),
        )
        for found in listed
    )
