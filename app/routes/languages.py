"""POST /language: a person chooses the language of the pages, which a cookie keeps for a year."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, status
from starlette.responses import RedirectResponse

from app.errors import InvalidRequest
from app.templates import Templates
from app.texts import COOKIE

_KEPT_S = 365 * 24 * 3600
_OWN_PATH = r"/([^/\\].*)?"  # "//elsewhere" would be another server


def create_router(templates: Templates) -> APIRouter:
    """The route behind the switch in the header."""
    router = APIRouter(include_in_schema=False)

    @router.post("/language")
    def choose_language(
        request: Request,
        language: Annotated[str, Form(max_length=35)],
        to: Annotated[str, Form(max_length=2000, pattern=f"^{_OWN_PATH}$")] = "/",
    ) -> Response:
        """Back to the page `to`, in the language from now on."""
        if language not in templates.texts:
            raise InvalidRequest.of("language", f"wanted one of {', '.join(templates.texts)}")
        answer = RedirectResponse(to, status.HTTP_303_SEE_OTHER)
        answer.set_cookie(
            COOKIE,
            language,
            max_age=_KEPT_S,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    return router
