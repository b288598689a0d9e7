"""What routes are given: the parts that `create_app` made, by their types."""

from dataclasses import dataclass
from threading import Event
from typing import Annotated

import redis.asyncio
from anyio import CapacityLimiter
from fastapi import Depends, Header
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from app import prefer
from app.catalogue import Catalogue
from app.keys import KeyFile
from app.outbound import Outbound
from app.readiness import Probes
from app.schemas.samples import SampleList
from app.settings import Settings
from app.uploads import Uploads
from worker.batches import Batches
from worker.imports import Imports
from worker.library import Library
from worker.outbox import Outbox
from worker.queue import JobQueue
from worker.store import Store


@dataclass(frozen=True)
class Services:
    """The parts of one web process."""

    settings: Settings
    queue: JobQueue
    batches: Batches
    imports: Imports | None  # None where nobody may bring weights in
    store: Store
    probes: Probes  # whether work could be done
    keys: KeyFile | None  # None where everybody may ask
    models: Catalogue
    samples: SampleList
    library: Library
    uploads: Uploads
    outbound: Outbound
    outbox: Outbox
    waiters: CapacityLimiter  # threads that wait for jobs, apart from those that serve requests
    streams: redis.asyncio.Redis  # the queue server, for the event loop: events of jobs
    followers: CapacityLimiter  # streams of events that are open
    metrics: CollectorRegistry
    leaving: Event  # set when the process is to end: nobody is to wait in it any longer


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


All = Annotated[Services, Depends(_services)]


# These only look an attribute up: as plain functions each would cost a trip through a thread.
async def _queue(services: All) -> JobQueue:
    return services.queue


async def _store(services: All) -> Store:
    return services.store


async def _models(services: All) -> Catalogue:
    return services.models


async def _uploads(services: All) -> Uploads:
    return services.uploads


async def _wait_s(
    services: All,
    header: Annotated[
        str | None,
        Header(alias="Prefer", description="`wait=N`: answer when the job is done, within N s."),
    ] = None,
) -> int | None:
    return prefer.wait_seconds(header, at_most=services.settings.max_wait_s)


Queue = Annotated[JobQueue, Depends(_queue)]
Files = Annotated[Store, Depends(_store)]
Models = Annotated[Catalogue, Depends(_models)]
Pictures = Annotated[Uploads, Depends(_uploads)]
WaitSeconds = Annotated[int | None, Depends(_wait_s)]
