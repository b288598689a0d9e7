"""GET /samples: pictures to try things out on, each free to use."""

from pathlib import Path

from fastapi import APIRouter

from app.deps import All
from app.schemas.samples import SampleList

router = APIRouter(tags=["samples"])


def read_samples(static: Path) -> SampleList:
    """What `samples/samples.json` under the folder of static files lists; nothing without it."""
    listing = static / "samples" / "samples.json"
    if not listing.exists():
        return SampleList(samples=[])
    return SampleList.model_validate_json(listing.read_text())


@router.get("/samples", operation_id="listSamples", response_description="The samples.")
async def list_samples(services: All) -> SampleList:
    """The sample pictures with their authors and licences."""
    return services.samples
