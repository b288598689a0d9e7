"""GET /jobs: the jobs there are, newest first, a page at a time."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.deps import All
from app.errors import InvalidRequest, Unavailable, responses
from app.routes.jobs import describe
from app.schemas.jobs import JobList
from models.registry import Task
from worker.listing import CURSOR_PATTERN, Wanted
from worker.queue import Status

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get(
    "",
    operation_id="listJobs",
    response_description="The jobs.",
    responses=responses(InvalidRequest, Unavailable),
)
def list_jobs(
    services: All,
    response: Response,
    status: Annotated[
        list[Status] | None, Query(description="Only jobs that stand so; may be repeated.")
    ] = None,
    model: Annotated[str | None, Query(max_length=100, description="Only of this model.")] = None,
    task: Annotated[Task | None, Query(description="Only of this kind.")] = None,
    cursor: Annotated[
        str | None, Query(pattern=CURSOR_PATTERN, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
) -> JobList:
    """The newest jobs, a page at a time; jobs that come meanwhile move no page."""
    wanted = Wanted(frozenset(status or ()), model, task)
    page = services.queue.page(wanted, cursor=cursor, limit=limit)
    response.headers["Cache-Control"] = "no-store"
    return JobList(jobs=[describe(services, view) for view in page.entries], next=page.cursor)
