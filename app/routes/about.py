"""GET /about/...: for people, what is served here, what is being done, and what they made."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse

from app.cards import read_card
from app.deps import All, Models
from app.errors import NotFound
from app.keys import Key, Scope
from app.schemas.models import Checkpoint
from app.templates import Templates
from models.checkpoint import Header
from models.import_upstream.published import KINDS, SYSTEMS
from models.registry import Task, find
from worker.connection import QueueDown
from worker.queue import JobQueue

_REVALIDATE = {"Cache-Control": "no-cache"}
_SHARES = {  # figures from 0 to 1; the texts `figure.<name>` have the words of docs/results.md
    "captions_told_apart",
    "r_precision",
    "r_precision_of_real",
    "colour_obeyed",
    "variety",
    "recall_at_10",
    "recall_at_10_words_alone",
}
_SHARE_ENDINGS = ("_edits", "judge_on_real")  # of the attributes that a data set has


def create_router(templates: Templates) -> APIRouter:
    """The pages about the service itself."""
    router = APIRouter(include_in_schema=False, prefix="/about")

    @router.get("/models")
    def show_models(request: Request, services: All) -> Response:
        loaded = _loaded(services.queue)
        shown = [_shown(header, services.models.path(header.id)) for header in services.models]
        context = {
            "models": shown,
            "tasks": [task for task in Task if any(task in m["model"].tasks for m in shown)],
            "loaded": loaded,
            "may_import": services.imports is not None and _is_admin(request),
            "importable": [find(name) for name in SYSTEMS],
            "import_kinds": ",".join(KINDS),
        }
        return templates.show(request, "about-models.html", context)

    @router.get("/models/{model}/sheet")
    def show_sheet(models: Models, model: Annotated[str, InPath(max_length=100)]) -> Response:
        sheet = _sheet(models.path(models.find(model).id))
        if not sheet.is_file():
            raise NotFound("this model has no sheet of samples")
        return FileResponse(sheet, media_type="image/webp", headers=_REVALIDATE)

    @router.get("/gallery")
    def show_gallery(request: Request, models: Models) -> Response:
        context = {"can_search": any(Task.SEARCH in header.spec.tasks for header in models)}
        return templates.show(request, "about-gallery.html", context)

    @router.get("/queue")
    def show_queue(request: Request) -> Response:
        return templates.show(request, "about-queue.html")

    return router


def _shown(header: Header, path: Path) -> dict[str, Any]:
    """What the page says of a checkpoint: its figures, its card if it has one, its sheet."""
    card = path.with_suffix(".md")
    return {
        "model": Checkpoint.of(header),
        "figures": [(name, _figure(name, value)) for name, value in header.metrics.items()],
        "card": read_card(card.read_text(encoding="utf-8")) if card.is_file() else [],
        "has_sheet": _sheet(path).is_file(),
    }


def _figure(name: str, value: float) -> str:
    is_share = name in _SHARES or name.endswith(_SHARE_ENDINGS)
    return f"{value:.1%}" if is_share else f"{value:.4g}"


def _sheet(path: Path) -> Path:
    return path.with_suffix(".webp")


def _is_admin(request: Request) -> bool:
    """Whether whoever asks has an admin's key; everybody, where no keys are in force."""
    key: Key | None = getattr(request.state, "key", None)
    return key is None or key.may(Scope.ADMIN)


def _loaded(queue: JobQueue) -> set[str] | None:
    """The models that a worker has in memory; None while the queue can't say."""
    try:
        return set(queue.ready_models())
    except QueueDown:
        return None
