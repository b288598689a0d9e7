"""GET / and /docs: the page for people, the one for developers, and the files that they need."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from app.deps import All
from app.errors import PROBLEMS
from app.schemas.models import Checkpoint
from app.templates import Templates

_ROOT = Path(__file__).resolve().parents[2]
STATIC = _ROOT / "static"
_REVALIDATE = {"Cache-Control": "no-cache"}  # kept, and asked after: an update shows at once


class StaticPages(StaticFiles):
    """Static files that a browser asks after before it uses its copy."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(_REVALIDATE)
        return response


def create_static() -> ASGIApp:
    """The static files, compressed on the way to a browser that can read that."""
    return GZipMiddleware(StaticPages(directory=STATIC), minimum_size=1024, compresslevel=6)


def create_router(templates: Templates) -> APIRouter:
    """The routes of the pages."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def show_editor(request: Request, services: All) -> Response:
        context = {
            "models": jsonable_encoder([Checkpoint.of(header) for header in services.models]),
            "samples": jsonable_encoder(services.samples.samples),
            "image_urls": services.settings.image_urls,
            "version": request.app.version,
        }
        return templates.show(request, "index.html", context)

    @router.get("/docs")
    def show_api(request: Request) -> Response:
        context = {"api": request.app.openapi(), "base": request.base_url, "problems": PROBLEMS}
        return templates.show(request, "api.html", context)

    return router
