"""What POST /manipulate and POST /generate share: checks before the job, the job for an answer."""

from secrets import randbelow

from anyio import to_thread
from fastapi import Response, status

from app.deps import Services
from app.errors import InvalidRequest
from app.forms import MAX_SEED, Wish
from app.routes.jobs import describe
from app.schemas import Job
from models.registry import Task
from models.text.vocabulary import tokenize
from worker.messages import Request
from worker.queue import JobView, QueueFull

_MAX_SUGGESTIONS = 6
_RETRY_AFTER_S = 1  # when to look at an unfinished job again


def read_wish(services: Services, wish: Wish, task: Task) -> Request:
    """What to queue, as far as caption, model, seed and number say it.

    Raises:
        UnknownModel: there is no such model, or it can't do `task`.
        InvalidRequest: the model knows no word of the caption.
    """
    model = services.models.find(wish.model, task).id
    _check_words(services, wish.caption, model)
    return Request(
        task=task,
        model=model,
        caption=wish.caption,
        seed=randbelow(MAX_SEED + 1) if wish.seed is None else wish.seed,
        variations=wish.variations,
        format=wish.format,
    )


def check_room(services: Services) -> None:
    """Refuse what the queue has no room for, before anything is kept for it.

    Raises:
        QueueFull: as many jobs wait as may.
    """
    if services.queue.depth() >= services.settings.max_queue:
        raise QueueFull("too many jobs wait")


async def answer(services: Services, job_id: str, wait_s: int | None, response: Response) -> Job:
    """The job, with status and headers for how it stands: 200 at its end, else 202."""
    view = await _view(services, job_id, wait_s, response)
    job = await to_thread.run_sync(describe, services, view)
    response.headers["Location"] = job.links.self
    if view.status.is_final:
        response.status_code = status.HTTP_200_OK
    else:
        response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return job


async def _view(services: Services, job_id: str, wait_s: int | None, response: Response) -> JobView:
    """The job, at its end if the client would wait and a thread to wait with is free."""
    if wait_s is None or services.waiters.available_tokens < 1:
        return await to_thread.run_sync(services.queue.read, job_id)
    response.headers["Preference-Applied"] = f"wait={wait_s}"
    return await to_thread.run_sync(
        services.queue.wait, job_id, wait_s, limiter=services.waiters, abandon_on_cancel=True
    )


def _check_words(services: Services, caption: str, model: str) -> None:
    """Refuse a caption of which the model knows no word at all; one unknown word is no harm."""
    unknown = services.models.unknown_words(caption, model)
    if len(unknown) == len(set(tokenize(caption))):
        nearest = dict.fromkeys(word for one in unknown for word in one.nearest)
        offered = list(nearest) or list(services.models.find(model).examples)
        raise InvalidRequest.of(
            "caption",
            "the model knows none of these words, wanted at least one that it knows",
            suggestions=offered[:_MAX_SUGGESTIONS],
        )
