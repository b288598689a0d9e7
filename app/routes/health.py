"""GET /livez and /readyz: is the process up, and would work that is sent now be done now. Load
balancers may ask by HEAD, and get the status alone.
"""

from collections.abc import Iterator

from fastapi import APIRouter

from app.deps import All, Services
from app.errors import KEYS_UNREADABLE, Unavailable, responses
from app.keys import BadKeyFile, KeyFile
from app.schemas.health import Alive, Ready
from worker.queue import QueueDown

router = APIRouter(tags=["health"])


@router.head("/livez", include_in_schema=False)
@router.get("/livez", operation_id="isAlive", response_description="It is.")
async def livez() -> Alive:
    """The process answers."""
    return Alive()


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    operation_id="isReady",
    response_description="It would.",
    responses=responses(Unavailable),
)
def readyz(services: All) -> Ready:
    """503 with the reasons until a worker has a model in memory and the store takes files, and
    while it can't be said who has a key.
    """
    reasons = list(_obstacles(services))
    if reasons:
        raise Unavailable("; ".join(reasons), reasons=reasons)
    models = sorted(services.queue.ready_models())
    return Ready(models=models, queued=services.queue.depth())


def _obstacles(services: Services) -> Iterator[str]:
    if services.leaving.is_set():
        yield "this server is about to stop"
    if services.keys is not None and not _is_readable(services.keys):
        yield KEYS_UNREADABLE
    if not len(services.models):
        yield "there is no checkpoint to serve"
    try:
        if not services.queue.ready_models():
            yield "no worker has a model in memory yet"
    except QueueDown:
        yield "the queue cannot be reached"
    if not services.probe.takes_files():
        yield "the store takes no files"


def _is_readable(keys: KeyFile) -> bool:
    try:
        keys.check()
    except BadKeyFile:  # the log says which file it is, with each request that has a key
        return False
    return True
