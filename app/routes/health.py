"""GET /livez and /readyz: is the process up, and would work that is sent now be done now. Load
balancers may ask by HEAD, and get the status alone. Neither takes a thread, of which there may be
none left while a service that others wait for is silent.
"""

from asyncio import gather

from fastapi import APIRouter

from app.deps import All
from app.errors import Unavailable, responses
from app.probe import Obstacle
from app.schemas.health import Alive, Ready

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
async def readyz(services: All) -> Ready:
    """503 with the reasons until a worker has a model in memory and the store takes files, and
    while it can't be said who has a key.
    """
    probes = services.probes
    keys, models, work, store = await gather(
        probes.keys.answer(),
        probes.models.answer(),
        probes.queue.answer(),
        probes.store.answer(),
    )
    reasons = [said.reason for said in (keys, models, work, store) if isinstance(said, Obstacle)]
    if services.leaving.is_set():
        reasons.insert(0, "this server is about to stop")
    if reasons or isinstance(work, Obstacle):
        raise Unavailable("; ".join(reasons), reasons=reasons)
    return Ready(models=list(work.models), queued=work.queued)
