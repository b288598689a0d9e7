"""The web process: `create_app` puts it together. Importing this module does nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from anyio import CapacityLimiter
from fastapi import FastAPI

from app import errors
from app.catalogue import Catalogue
from app.deps import Services
from app.middleware import BodyLimit, ResponseHeaders
from app.routes import (
    captions,
    edits,
    events,
    generations,
    health,
    images,
    job_list,
    jobs,
    models,
    pages,
    samples,
)
from app.settings import Settings
from app.uploads import Uploads
from worker.connection import connect_async
from worker.queue import JobQueue
from worker.store import Store

_BESIDE_THE_PHOTO_BYTES = 2**20  # of a request's body: a mask and the fields
_TAGS = [
    {"name": "edits", "description": "Change a picture with words."},
    {"name": "generations", "description": "Draw a picture from words alone."},
    {"name": "jobs", "description": "How a job stands, and its pictures."},
    {"name": "models", "description": "What can be asked for."},
    {"name": "captions", "description": "Which words are understood."},
    {"name": "samples", "description": "Pictures to try things out on."},
    {"name": "health", "description": "For whoever runs the service."},
]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The web process as an ASGI application; without `settings` the environment says them."""
    services = _services(settings or Settings())
    app = WebApp(
        title="Wordbrush",
        summary="Edit and draw pictures with words.",
        version=_version(),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        form_limits={"max_files": 2, "max_fields": 20, "max_part_size": 4096},
        lifespan=_lifespan,
    )
    app.state.services = services
    for routes in (
        edits,
        generations,
        images,
        job_list,
        jobs,
        events,
        models,
        captions,
        samples,
        health,
    ):
        app.include_router(routes.router)
    app.include_router(pages.create_router())
    app.mount("/static", pages.create_static())
    errors.install(app)
    limit = services.settings.max_upload_bytes + _BESIDE_THE_PHOTO_BYTES
    app.add_middleware(BodyLimit, max_bytes=limit)
    app.add_middleware(ResponseHeaders)
    return app


class WebApp(FastAPI):
    """FastAPI whose description of itself has problems for errors."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["schemas"].setdefault("Problem", errors.component())
        return document


def _services(settings: Settings) -> Services:
    store = Store.from_settings(settings)
    return Services(
        settings=settings,
        queue=JobQueue.from_settings(settings),
        store=store,
        models=Catalogue(settings.checkpoints),
        samples=samples.read_samples(pages.STATIC),
        uploads=Uploads(store, max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels),
        waiters=CapacityLimiter(settings.max_waiters),
        streams=connect_async(settings.redis_url, max_connections=settings.max_followers),
        followers=CapacityLimiter(settings.max_followers),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.services.queue.connection.close()
    await app.state.services.streams.aclose()


def _version() -> str:
    try:
        return version("wordbrush")
    except PackageNotFoundError:  # run from a copy of the files that was never installed
        return "0"
