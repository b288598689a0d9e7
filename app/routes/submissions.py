"""What POST /manipulate, POST /generate and /search share: checks, and the job as an answer."""

from secrets import randbelow

from anyio import to_thread
from fastapi import Response, status

from app.deps import Services
from app.errors import InvalidRequest, NoAnswer, RefusedAddress
from app.forms import DEFAULT_STEPS, Wish
from app.routes.jobs import describe
from app.schemas.jobs import Job
from models.registry import Task
from worker.messages import MAX_SEED, Request
from worker.queue import JobView, QueueFull, Terms

UNTOLD = (RefusedAddress, NoAnswer)  # what may be wrong with a webhook
_MAX_SUGGESTIONS = 6
_RETRY_AFTER_S = 1  # when to look at an unfinished job again


def read_wish(services: Services, wish: Wish, task: Task, *, to_photo: bool = False) -> Request:
    """What to queue, as far as captions, model, seed and number say it.

    `to_photo`: it is an interpolation to another photo, whether or not to another caption.

    Raises:
        UnknownModel: there is no such model, or it can't do `task`.
        InvalidRequest: the model knows no word of a caption, or the numbers don't go together.
    """
    model = services.models.find(wish.model, task).id
    check_words(services, wish.caption, model, "caption")
    if wish.caption_to is not None:
        check_words(services, wish.caption_to, model, "caption_to")
    return Request(
        task=task,
        model=model,
        caption=wish.caption,
        seed=randbelow(MAX_SEED + 1) if wish.seed is None else wish.seed,
        variations=wish.variations,
        format=wish.format,
        steps=_steps(wish, to_photo=to_photo),
        caption_to=wish.caption_to,
    )


def check_webhook(services: Services, terms: Terms) -> None:
    """Refuse an address that can't be told of the end.

    Raises:
        InvalidRequest: nobody is told by this service.
        ForbiddenAddress: it is not one that this service calls.
        Unreachable: its host has no address.
    """
    if terms.webhook and not services.settings.webhooks:
        raise InvalidRequest.of("webhook", "this service sends none, wanted no webhook")
    if terms.webhook:
        services.outbound.check(terms.webhook)


def check_room(services: Services, *, batch: bool = False) -> None:
    """Refuse what the queue has no room for, before anything is kept for it: people's jobs and the
    chunks of batches have a queue each.

    Raises:
        QueueFull: as many wait there as may.
    """
    waiting = services.queue.depths()["batch" if batch else "interactive"]
    if waiting >= services.settings.max_queue:
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
        services.queue.wait,
        job_id,
        wait_s,
        services.leaving.is_set,
        limiter=services.waiters,
        abandon_on_cancel=True,
    )


def _steps(wish: Wish, *, to_photo: bool) -> int:
    """How many pictures an interpolation has; 1 if it is none."""
    if wish.caption_to is None and not to_photo:
        if wish.steps is not None:
            message = "steps go from one end to another, wanted a second caption or photo with them"
            raise InvalidRequest.of("steps", message)
        return 1
    if wish.variations != 1:
        message = "all steps of an interpolation have one noise, wanted 1"
        raise InvalidRequest.of("variations", message)
    return wish.steps or DEFAULT_STEPS


def check_words(services: Services, caption: str, model: str, field: str) -> None:
    """Refuse a caption of which the model knows no word at all; one unknown word is no harm.

    Raises:
        InvalidRequest: it knows none.
    """
    vocabulary = services.models.vocabulary(model)
    if vocabulary is not None and not vocabulary.knows_any(caption):
        unknown = vocabulary.unknown_words(caption)
        nearest = dict.fromkeys(word for one in unknown for word in one.nearest)
        offered = list(nearest) or list(services.models.find(model).examples)
        raise InvalidRequest.of(
            field,
            "the model knows none of these words, wanted at least one that it knows",
            suggestions=offered[:_MAX_SUGGESTIONS],
        )
