"""The client for programs on an event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar, Unpack

import httpx

from wordbrush import calls, steps
from wordbrush.answers import Batch, BatchItem, Event, Job, Model, Output, Webhook
from wordbrush.calls import Call, EditOptions, GenerateOptions, Photo
from wordbrush.errors import Refused, Unreachable
from wordbrush.steps import Page, Patience, Pause, Steps

_SERVER = "http://127.0.0.1:8000"

T = TypeVar("T")


class AsyncClient:
    """Speaks to one server as `Client` does, whose methods it has: to be awaited, or to be iterated
    over by `async for`. To be closed, or used in an `async with`.
    """

    def __init__(
        self,
        server: str = _SERVER,
        *,
        key: str | None = None,
        timeout_s: float = 90.0,
        absence_s: float = steps.ABSENCE_S,
        on_absence: Callable[[str], object] = lambda news: None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._http = http or httpx.AsyncClient(
            base_url=calls.address(server), headers=calls.with_key(key), timeout=timeout_s
        )
        self._absence_s = absence_s
        self._on_absence = on_absence

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def server(self) -> str:
        return str(self._http.base_url.copy_with(userinfo=b"")).rstrip("/")

    async def close(self) -> None:
        await self._http.aclose()

    async def models(self) -> list[Model]:
        return await self._take(steps.models())

    async def store_image(self, photo: Photo) -> str:
        return await self._take(steps.store_image(photo))

    async def edit(
        self,
        photo: Photo | None,
        caption: str,
        *,
        wait_s: float = 300.0,
        **options: Unpack[EditOptions],
    ) -> Job:
        return await self._take(
            steps.finished(calls.edit(photo, caption, wait_s, options), wait_s, self._absence_s)
        )

    async def generate(
        self,
        caption: str,
        *,
        wait_s: float = 300.0,
        **options: Unpack[GenerateOptions],
    ) -> Job:
        return await self._take(
            steps.finished(calls.generate(caption, wait_s, options), wait_s, self._absence_s)
        )

    async def job(self, job_id: str) -> Job:
        return await self._take(steps.job(job_id))

    def jobs(self, **wanted: Any) -> AsyncIterator[Job]:
        return self._each(partial(steps.jobs, wanted))

    async def wait(self, job: Job, wait_s: float = 300.0) -> Job:
        return await self._take(steps.wait(job, wait_s, self._absence_s))

    async def follow(self, job: Job) -> AsyncIterator[Event]:
        reader, patience = calls.EventReader(), Patience(self._absence_s)
        while True:
            call = calls.events(job.id, reader)
            try:
                async with self._stream(call, "text/event-stream") as response:
                    async for line in response.aiter_lines():
                        for event in reader.feed(line):
                            patience = Patience(self._absence_s)
                            yield event
                            if event.job:
                                return
                raise Unreachable("the stream ended before the job did")
            except (Refused, Unreachable) as error:
                await self._step(patience.after(call, error))

    async def cancel(self, job: Job) -> Job:
        return await self._take(steps.cancel(job))

    async def retry(self, job: Job, *, wait_s: float = 300.0) -> Job:
        return await self._take(
            steps.finished(calls.retry(job.id, wait_s), wait_s, self._absence_s)
        )

    async def image(self, output: Output) -> bytes:
        return await self._take(steps.image(output))

    async def animation(self, job: Job, format: str = "webp") -> bytes:
        return await self._take(steps.animation(job, format))

    async def save(self, job: Job, path: str | PathLike[str], number: int = 0) -> None:
        data = await self.image(job.outputs[number])
        await asyncio.to_thread(Path(path).write_bytes, data)

    async def create_batch(
        self,
        items: Sequence[Mapping[str, Any]] | str | PathLike[str] | bytes,
        images: Photo | None = None,
        **defaults: Any,
    ) -> Batch:
        call = calls.create_batch(items, images, **defaults)
        return await self._take(steps.create_batch(call, self._absence_s))

    async def batch(self, batch_id: str) -> Batch:
        return await self._take(steps.batch(batch_id))

    def batch_items(self, batch: Batch) -> AsyncIterator[BatchItem]:
        return self._each(partial(steps.batch_items, batch))

    async def wait_for_batch(
        self,
        batch: Batch,
        *,
        wait_s: float = 24 * 3600,
        on_progress: Callable[[Batch], object] = lambda batch: None,
    ) -> Batch:
        return await self._take(steps.wait_for_batch(batch, wait_s, self._absence_s, on_progress))

    async def cancel_batch(self, batch: Batch) -> Batch:
        return await self._take(steps.cancel_batch(batch))

    async def download_batch(self, batch: Batch, file: BinaryIO) -> None:
        call, patience = Call("GET", f"/batches/{batch.id}/results"), Patience(self._absence_s)
        start = file.tell() if file.seekable() else None
        while True:
            try:
                async with self._stream(call, "application/zip") as response:
                    async for piece in response.aiter_bytes():
                        file.write(piece)
                    return
            except (Refused, Unreachable) as error:
                if start is None:
                    raise
                await self._step(patience.after(call, error))
                file.seek(start)
                file.truncate()

    @asynccontextmanager
    async def _stream(self, call: Call, kind: str) -> AsyncIterator[httpx.Response]:
        try:
            async with self._http.stream(**call.arguments()) as response:
                if not response.is_success:
                    await response.aread()
                yield steps.check_kind(steps.check(response), kind)
        except httpx.TransportError as error:
            raise steps.away(error) from error

    def webhooks(self) -> AsyncIterator[Webhook]:
        return self._each(steps.webhooks)

    async def resend_webhook(self, webhook_id: str) -> None:
        await self._take(steps.resend_webhook(webhook_id))

    async def _take(self, doing: Steps[T]) -> T:
        answer: httpx.Response | httpx.TransportError | None = None
        while True:
            try:
                step = doing.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            answer = await self._step(step)

    async def _step(self, step: Call | Pause) -> httpx.Response | httpx.TransportError | None:
        if isinstance(step, Pause):
            if step.news:
                self._on_absence(step.news)
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._http.request(**step.arguments())
        except httpx.TransportError as error:
            return error

    async def _each(self, read: Callable[[Any], Steps[Page[T]]]) -> AsyncIterator[T]:
        page = await self._take(read(None))
        for entry in page.entries:
            yield entry
        while page.next is not None:
            page = await self._take(read(page.next))
            for entry in page.entries:
                yield entry
