"""What OpenAI's image routes say and answer, in terms of ours. Only what has a meaning here is
looked at; quality, style, user and the like are taken and left out.
"""

import time
from base64 import b64encode
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Annotated, Literal

from anyio import CapacityLimiter, WouldBlock, to_thread
from fastapi import Depends
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypeAliasType

from app.deps import All, Services
from app.errors import Gone, InvalidRequest, Unavailable
from app.forms import Caption, PictureFormat, Variations, Wish
from models.registry import Task
from worker.messages import OutputFile, Result
from worker.queue import Status

_THEIRS = ("dall-e", "gpt-image", "chatgpt-image")  # names that clients send if nobody says another
ResponseFormat = TypeAliasType("ResponseFormat", Literal["url", "b64_json"])
_SIZES = r"^(auto|\d{2,4}x\d{2,4})$"


class Prompt(BaseModel):
    """What both routes take."""

    model_config = ConfigDict(extra="ignore")

    prompt: Caption
    model: str | None = Field(
        None,
        max_length=100,
        description="An id of `GET /v1/models`; OpenAI's own names mean the first choice.",
    )
    n: Variations = Field(1, description="How many.")
    response_format: ResponseFormat | None = Field(
        None, description="Left out: an address; `b64_json` where the model is a gpt-image."
    )
    output_format: PictureFormat = "png"
    stream: bool | None = Field(None, description="Pictures come whole: true is refused.")

    @field_validator("stream")
    @classmethod
    def _whole(cls, stream: bool | None) -> bool | None:
        if stream:
            raise ValueError("pictures come whole, wanted false or nothing")
        return stream

    def wish(self) -> Wish:
        own = None if self._is_theirs else self.model
        said = {"caption": self.prompt, "model": own, "variations": self.n}
        return Wish.model_validate(said | {"format": self.output_format})

    @property
    def wants_bytes(self) -> bool:
        if self.response_format is None:
            return self._is_theirs and "gpt-image" in (self.model or "")
        return self.response_format == "b64_json"

    @property
    def _is_theirs(self) -> bool:
        return (self.model or "").startswith(_THEIRS)


class Drawing(Prompt):
    """A picture from words."""

    size: str | None = Field(
        None, pattern=_SIZES, description="The picture is enlarged to it; left out: as it is drawn."
    )

    @field_validator("size")
    @classmethod
    def _within_bounds(cls, size: str | None) -> str | None:
        side = _side(size)
        if side and not all(16 <= length <= 2048 for length in side):
            raise ValueError("wanted auto, or 16x16 to 2048x2048")
        return size

    @property
    def side(self) -> tuple[int, int] | None:
        return _side(self.size)


class Datum(BaseModel):
    """One picture: its address, or its file."""

    url: str | None = None
    b64_json: str | None = None


class Images(BaseModel):
    """What comes of a prompt."""

    created: int = Field(description="Seconds since 1970.")
    data: list[Datum]
    output_format: PictureFormat


async def _place(services: All) -> AsyncIterator[None]:
    """A place among those that wait, from before anything is kept or queued to the answer.

    Raises:
        Unavailable: there is none.
    """
    holder = object()
    try:
        services.waiters.acquire_on_behalf_of_nowait(holder)
    except WouldBlock:
        raise Unavailable(
            "too many requests wait for their pictures already: ask again, or by POST /manipulate "
            "or /generate, which need not wait"
        ) from None
    try:
        yield
    finally:
        services.waiters.release_on_behalf_of(holder)


Place = Annotated[None, Depends(_place)]


async def finished(services: Services, job_id: str) -> Result:
    """The job's result, waited for by whoever has a place; these clients know no other way.

    Raises:
        Unavailable: it was not done in time, or failed for no fault of the request.
        InvalidRequest: it can't be done.
        Gone: it was canceled. These clients send again by themselves what is unavailable.
    """
    wait_s = services.settings.max_wait_s
    view = await to_thread.run_sync(
        services.queue.wait,
        job_id,
        wait_s,
        services.leaving.is_set,
        limiter=CapacityLimiter(1),  # the place is taken, so here is no one to wait behind
        abandon_on_cancel=True,
    )
    if not view.status.is_final:
        await to_thread.run_sync(services.queue.cancel, job_id)  # nobody would ask for it again
        if services.leaving.is_set():
            raise Unavailable("this server is about to stop: ask again")
        raise Unavailable(f"it was not done in {wait_s} s: ask again, or by POST /manipulate")
    if view.status is Status.CANCELED:
        raise Gone("the job was canceled: ask again if it is wanted after all")
    if view.result is None:
        detail = view.error.detail if view.error else f"the job is {view.status}"
        if view.status is Status.FAILED and view.error and not view.error.retryable:
            raise InvalidRequest.of("prompt", detail)
        raise Unavailable(detail)
    return view.result


async def answer(
    services: Services,
    prompt: Prompt,
    job_id: str,
    base_url: str,
    *,
    side: tuple[int, int] | None = None,
) -> Images:
    """The finished pictures as these clients want them, enlarged to `side` in pixels if given."""
    result = await finished(services, job_id)
    if prompt.wants_bytes or side is not None:
        data = await to_thread.run_sync(_all_packed, services, result, side, prompt.output_format)
    else:
        outputs = f"{base_url}jobs/{job_id}/outputs"
        data = [Datum(url=f"{outputs}/{n}/image") for n in range(len(result.outputs))]
    return Images(created=int(time.time()), data=data, output_format=prompt.output_format)


def task_models(services: Services) -> list[str]:
    """Ids of the models that draw or edit."""
    able = {Task.MANIPULATE, Task.GENERATE}
    return [header.id for header in services.models if able & header.spec.tasks]


def _side(size: str | None) -> tuple[int, int] | None:
    if size in (None, "auto"):
        return None
    width, height = map(int, str(size).split("x"))
    return width, height


def _all_packed(
    services: Services, result: Result, side: tuple[int, int] | None, kind: str
) -> list[Datum]:
    return [Datum(b64_json=_packed(services, file, side, kind)) for file in result.outputs]


def _packed(services: Services, file: OutputFile, side: tuple[int, int] | None, kind: str) -> str:
    data = services.store.get(file.image)
    if side is not None and side != (file.width, file.height):
        enlarged = BytesIO()
        Image.open(BytesIO(data)).resize(side, Image.Resampling.LANCZOS).save(enlarged, kind)
        data = enlarged.getvalue()
    return b64encode(data).decode()
