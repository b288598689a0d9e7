"""The web process: `create_app` puts it together. Importing this module does nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from threading import Event
from types import ModuleType
from typing import Any

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import NoOpTracerProvider, TracerProvider

from app import access, errors, forms
from app.catalogue import Catalogue
from app.deps import Services
from app.forms import MAX_AMONG
from app.keys import KeyFile, Scope
from app.metrics import create_registry
from app.middleware import BodyLimit, ResponseHeaders
from app.outbound import Outbound
from app.readiness import Probes
from app.request_log import RequestLog
from app.routes import (
    about,
    batch_list,
    batches,
    captions,
    edits,
    events,
    generations,
    health,
    images,
    imports,
    job_list,
    jobs,
    languages,
    library,
    masks,
    metrics,
    models,
    openai_edits,
    openai_generations,
    openai_models,
    pages,
    retries,
    samples,
    searches,
    sessions,
    webhook_list,
    webhooks,
    workers,
)
from app.settings import Settings
from app.telling import sending
from app.templates import Templates
from app.uploads import Uploads
from worker import tracing
from worker.batches import Batches
from worker.connection import connect_async
from worker.imports import Imports
from worker.library import Library
from worker.outbox import Outbox
from worker.queue import JobQueue
from worker.store import Store

_PATIENCE_S = 5.0  # with the queue server: a person waits, and a thread is kept from others
_BESIDE_THE_PHOTO_BYTES = 2**20  # of a request's body: a mask and the fields
_FIELDS_OF_A_SEARCH = MAX_AMONG + 8
_ANY = (Scope.READ, Scope.EDIT, Scope.GENERATE)
_ROUTES: tuple[tuple[ModuleType, tuple[Scope, ...]], ...] = (  # and which keys they answer to
    (edits, (Scope.EDIT,)),
    (masks, (Scope.EDIT,)),
    (generations, (Scope.GENERATE,)),
    (searches, (Scope.EDIT, Scope.GENERATE)),
    (images, (Scope.EDIT,)),
    (batch_list, (Scope.READ,)),
    (batches, _ANY),
    (openai_edits, (Scope.EDIT,)),
    (openai_generations, (Scope.GENERATE,)),
    (openai_models, _ANY),
    (job_list, (Scope.READ,)),
    (jobs, _ANY),
    (retries, _ANY),
    (events, _ANY),
    (webhook_list, (Scope.READ,)),
    (webhooks, _ANY),
    (models, _ANY),
    (imports, (Scope.ADMIN,)),
    (captions, _ANY),
    (samples, _ANY),
    (metrics, (Scope.METRICS,)),
    (library, _ANY),
    (workers, (Scope.READ,)),
    (health, ()),
)
_NOT_TRACED = ("/static/", "/livez", "/readyz", "/metrics")
_TAGS = [
    {"name": "edits", "description": "Change a picture with words."},
    {"name": "generations", "description": "Draw a picture from words alone."},
    {"name": "searches", "description": "Find pictures by a picture and words."},
    {"name": "jobs", "description": "How a job stands, and its pictures."},
    {"name": "batches", "description": "Many pictures at once."},
    {"name": "webhooks", "description": "Who was to hear of an end and did not."},
    {"name": "openai", "description": "The same for clients that were made for OpenAI's API."},
    {"name": "models", "description": "What can be asked for."},
    {"name": "captions", "description": "Which words are understood."},
    {"name": "samples", "description": "Pictures to try things out on."},
    {"name": "health", "description": "For whoever runs the service."},
]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The web process as an ASGI application; without `settings` the environment says them.

    Raises:
        NoKeys: it would be open to everybody, and nobody said that it should be.
        TracingNotInstalled: traces are to be sent, and what would send them is missing.
    """
    services = _services(settings or Settings())
    provider = tracing.provider_from_environment("web")
    app = WebApp(
        title="Wordbrush",
        summary="Edit and draw pictures with words.",
        version=_version(),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        telemetry=_telemetry(provider),
        form_limits={"max_files": 3, "max_fields": _FIELDS_OF_A_SEARCH, "max_part_size": 4096},
        lifespan=_lifespan,
    )
    app.state.services = services
    app.state.tracing = provider
    guests = _guests(services)
    for routes, scopes in _ROUTES:
        app.include_router(routes.router, **(_guarded(*scopes) if guests and scopes else {}))
    templates = Templates()
    app.include_router(pages.create_router(templates))
    app.include_router(about.create_router(templates))
    app.include_router(languages.create_router(templates))
    app.mount("/static", pages.create_static())
    errors.install(app, templates)
    limit = services.settings.max_upload_bytes + _BESIDE_THE_PHOTO_BYTES
    larger = {batches.router.prefix: services.settings.max_batch_bytes}
    if services.imports is not None:
        larger[imports.router.prefix] = services.settings.max_import_bytes
    app.add_middleware(BodyLimit, max_bytes=limit, larger=larger)
    if guests:
        app.include_router(sessions.create_router(guests, templates))
        app.add_middleware(access.Admission, guests=guests)
    app.add_middleware(RequestLog)
    app.add_middleware(ResponseHeaders)
    return app


class WebApp(FastAPI):
    """FastAPI whose description of itself has problems for errors, and forms as forms are."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["schemas"].setdefault("Problem", errors.component())
        forms.describe(document)
        return document


def _services(settings: Settings) -> Services:
    store, catalogue = Store.from_settings(settings), Catalogue(settings.checkpoints)
    queue = JobQueue.from_settings(settings, patience_s=_PATIENCE_S)
    imports = Imports.from_settings(settings, patience_s=_PATIENCE_S)
    keys = KeyFile(settings.keys_file) if access.takes_keys(settings) else None
    return Services(
        settings=settings,
        queue=queue,
        batches=Batches.from_settings(settings, patience_s=_PATIENCE_S),
        imports=imports if access.offers_imports(settings) else None,
        store=store,
        probes=Probes.of(catalogue, queue, store, keys),
        keys=keys,
        models=catalogue,
        samples=samples.read_samples(pages.STATIC),
        library=Library(settings.library),
        uploads=Uploads(store, max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels),
        outbound=Outbound(allowed=settings.outbound_hosts),
        outbox=Outbox(settings.redis_url, patience_s=_PATIENCE_S),
        waiters=CapacityLimiter(settings.max_waiters),
        streams=connect_async(settings.redis_url, max_connections=settings.max_followers),
        followers=CapacityLimiter(settings.max_followers),
        metrics=create_registry(queue),
        leaving=Event(),
    )


def _telemetry(provider: TracerProvider) -> TelemetryConfig:
    """Spans of requests, without those that machines send all the time."""
    return TelemetryConfig(
        tracer_provider=provider,
        tracing=not isinstance(provider, NoOpTracerProvider),
        operation_spans=False,
        metrics=False,
        logs=False,  # they would have what people sent
        auto_configure=False,
        exclude=lambda scope: scope["path"].startswith(_NOT_TRACED),
    )


def _guests(services: Services) -> access.Guests | None:
    """Who is known, where keys are in force; else None."""
    if services.keys is None:
        return None
    return access.Guests(services.keys, services.queue.connection)


def _guarded(*scopes: Scope) -> dict[str, Any]:
    """What `include_router` takes for routes that answer only to keys with one of `scopes`."""
    refusals = errors.responses(errors.Unauthorized, errors.Forbidden, errors.TooManyRequests)
    return {"dependencies": [access.needing(*scopes)], "responses": refusals}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    with sending(services):
        yield
    services.queue.connection.close()
    services.batches.connection.close()
    services.outbox.close()
    await services.streams.aclose()
    tracing.close(app.state.tracing)


def _version() -> str:
    try:
        return version("wordbrush")
    except PackageNotFoundError:  # run from a copy of the files that was never installed
        return "0"
