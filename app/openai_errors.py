"""Errors as clients that were made for OpenAI's API look for them: in a member `error`."""

from collections.abc import Mapping
from typing import Any

_PREFIX = "/v1/"
_THEIR_NAMES = {"caption": "prompt", "variations": "n"}


def for_openai(problem: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The problem of a request to `path`; under /v1/ with what is wrong in their words too."""
    if not path.startswith(_PREFIX):
        return dict(problem)
    first: Mapping[str, str] = next(iter(problem.get("errors", ())), {})
    field = first.get("field", "")
    error = {
        "message": first.get("message") or problem.get("detail") or problem["title"],
        "type": "server_error" if problem["status"] >= 500 else "invalid_request_error",
        "param": _THEIR_NAMES.get(field, field) or None,
        "code": problem["type"].rpartition("#problem-")[2],
    }
    return {**problem, "error": error}
