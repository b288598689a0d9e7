"""GET /sign-in and POST /session: the page where a person enters an API key, once a week."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, status
from starlette.responses import RedirectResponse

from app.access import SIGN_IN, Guests, is_from_own_page
from app.errors import Forbidden
from app.sessions import COOKIE, SESSION_S
from app.templates import Templates

_NOT_KEPT = {"Cache-Control": "no-store"}


def create_router(guests: Guests, templates: Templates) -> APIRouter:
    """The routes by which a browser comes and goes."""
    router = APIRouter(include_in_schema=False)

    def show_form(request: Request, *, is_wrong: bool) -> Response:
        code = status.HTTP_401_UNAUTHORIZED if is_wrong else status.HTTP_200_OK
        context = {"is_wrong": is_wrong}
        return templates.show(request, "sign-in.html", context, status_code=code, headers=_NOT_KEPT)

    @router.get(SIGN_IN)
    def show_sign_in(request: Request) -> Response:
        return show_form(request, is_wrong=False)

    @router.post("/session")
    def begin_session(request: Request, key: Annotated[str, Form(max_length=200)]) -> Response:
        _check_origin(request)
        found = guests.keys.find(key.strip())
        if found is None:
            return show_form(request, is_wrong=True)
        answer = RedirectResponse("/", status.HTTP_303_SEE_OTHER)
        answer.set_cookie(
            COOKIE,
            guests.sessions.begin(found.id),
            max_age=SESSION_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/session/end")
    def end_session(request: Request) -> Response:
        _check_origin(request)
        guests.sessions.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse(SIGN_IN, status.HTTP_303_SEE_OTHER)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return router


def _check_origin(request: Request) -> None:
    """Refuse a form on another site's page, which could sign a person in as somebody else."""
    if not is_from_own_page(request):
        raise Forbidden("the form comes from a page of another site")
