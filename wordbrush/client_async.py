"""The client for programs on an event loop: as client.py, with `await`."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, Unpack

import httpx

from wordbrush import calls
from wordbrush.answers import Batch, BatchItem, Event, Job, Model, Output
from wordbrush.calls import Call, EditOptions, GenerateOptions, Photo
from wordbrush.errors import JobFailed, TooLong, Unreachable

_SERVER = "http://127.0.0.1:8000"


class AsyncClient:
    """Speaks to one server; to be closed, or used in an `async with`.

    Each method raises Unreachable when the server does not answer, and Refused when it does not do
    what is asked. A request that was cut off, or that came while the server was full, is sent
    again; it is done once.
    """

    def __init__(
        self,
        server: str = _SERVER,
        *,
        key: str | None = None,
        timeout_s: float = 90.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """`key` is an API key, where the server wants one; `http` a client of your own, with the
        server's address in it.
        """
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = http or httpx.AsyncClient(base_url=server, headers=headers, timeout=timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def models(self) -> list[Model]:
        """What can be asked for, the first choice first."""
        return [Model.read(one) for one in (await self._ask(Call("GET", "/models")))["models"]]

    async def store_image(self, photo: Photo) -> str:
        """Keep a picture on the server; the `image_id` under which edits can name it."""
        files = {"image": ("photo", calls.read(photo))}
        image_id: str = (await self._ask(Call("POST", "/images", files=files)))["image_id"]
        return image_id

    async def edit(
        self,
        photo: Photo | None,
        caption: str,
        *,
        wait_s: float = 300.0,
        **options: Unpack[EditOptions],
    ) -> Job:
        """Change what the caption names in a picture, and wait for it up to `wait_s` seconds; with
        0 the job comes back as it is. With another end (`caption_to`, `image_to`) it has `steps`
        pictures on the way there.

        Raises:
            JobFailed: there will be no picture.
            TooLong: it is not done yet.
        """
        return await self._done(calls.edit(photo, caption, wait_s, options), wait_s)

    async def generate(
        self,
        caption: str,
        *,
        wait_s: float = 300.0,
        **options: Unpack[GenerateOptions],
    ) -> Job:
        """Draw what the caption says, from words alone; waits and raises as `edit` does."""
        return await self._done(calls.generate(caption, wait_s, options), wait_s)

    async def job(self, job_id: str) -> Job:
        """The job as it stands."""
        return Job.read(await self._ask(Call("GET", f"/jobs/{job_id}")))

    async def jobs(self, **wanted: Any) -> AsyncIterator[Job]:
        """Jobs, newest first; `status`, `model` and `task` choose among them."""
        page: Mapping[str, Any] = {"next": None}
        while True:
            params = wanted | ({"cursor": page["next"]} if page["next"] else {})
            page = await self._ask(Call("GET", "/jobs", params=params))
            for one in page["jobs"]:
                yield Job.read(one)
            if not page["next"]:
                return

    async def wait(self, job: Job, wait_s: float = 300.0) -> Job:
        """The job at its end; raises as `edit` does."""
        deadline, looks = time.monotonic() + wait_s, 0
        while not job.is_done:
            if time.monotonic() >= deadline:
                raise TooLong(f"job {job.id} was not done in {wait_s:g} s: it is {job.status}")
            await asyncio.sleep(calls.look_again_s(job.eta_s, looks))
            job, looks = await self.job(job.id), looks + 1
        if job.status != "succeeded":
            raise JobFailed(job)
        return job

    async def follow(self, job: Job) -> AsyncIterator[Event]:
        """The job's events until it has ended; a stream that was cut off is taken up again."""
        reader = calls.EventReader()
        for attempt in range(1, calls.TRIES + 1):
            try:
                async with self._http.stream(
                    "GET", f"/jobs/{job.id}/events", headers=reader.headers()
                ) as response:
                    if not response.is_success:
                        await response.aread()
                    async for line in calls.check(response).aiter_lines():
                        for event in reader.feed(line):
                            yield event
                            if event.job:
                                return
            except httpx.TransportError as error:
                if attempt == calls.TRIES:
                    raise Unreachable(f"the server does not answer: {error}") from error
                await asyncio.sleep(calls.pause_s(attempt))

    async def cancel(self, job: Job) -> Job:
        """Stop the job unless it has ended; how it stands after that."""
        return Job.read(await self._ask(Call("POST", f"/jobs/{job.id}/cancel")))

    async def retry(self, job: Job, *, wait_s: float = 300.0) -> Job:
        """A new job that asks for the same as one that failed, was canceled or has expired; waits
        and raises as `edit` does.
        """
        return await self._done(calls.retry(job.id, wait_s), wait_s)

    async def image(self, output: Output) -> bytes:
        """A finished picture's file."""
        return (await self._send(Call("GET", output.image))).content

    async def animation(self, job: Job, format: str = "webp") -> bytes:
        """All steps of an interpolation as one file, WebP or GIF."""
        call = Call("GET", f"/jobs/{job.id}/animation", params={"format": format})
        return (await self._send(call)).content

    async def save(self, job: Job, path: str | PathLike[str], number: int = 0) -> None:
        """Write a finished picture of the job to a file."""
        data = await self.image(job.outputs[number])
        await asyncio.to_thread(Path(path).write_bytes, data)

    async def create_batch(
        self,
        items: Sequence[Mapping[str, Any]] | Path,
        images: BinaryIO | None = None,
        **defaults: Any,
    ) -> Batch:
        """Ask for many pictures at once. `items` are lines such as {"caption": "red petals",
        "image": "photo.jpg"}, or a JSONL or CSV file of them; `images` is a ZIP with the pictures
        that they name; `defaults` hold for each line that does not say otherwise.
        """
        return Batch.read(await self._ask(calls.create_batch(items, images, **defaults)))

    async def batch(self, batch_id: str) -> Batch:
        """The batch as it stands."""
        return Batch.read(await self._ask(Call("GET", f"/batches/{batch_id}")))

    async def batch_items(self, batch: Batch) -> AsyncIterator[BatchItem]:
        """What came of each line so far."""
        first: int | None = 0
        while first is not None:
            params = {"first": first, "limit": 500}
            page = await self._ask(Call("GET", f"/batches/{batch.id}/items", params=params))
            for one in page["items"]:
                yield BatchItem.read(one)
            first = page["next"]

    async def wait_for_batch(
        self,
        batch: Batch,
        *,
        wait_s: float = 24 * 3600,
        on_progress: Callable[[Batch], object] = lambda batch: None,
    ) -> Batch:
        """The batch at its end; `on_progress` hears of it on the way.

        Raises:
            TooLong: it is not done yet.
        """
        deadline, looks = time.monotonic() + wait_s, 0
        while not batch.is_done:
            if time.monotonic() >= deadline:
                raise TooLong(f"batch {batch.id} was not done in {wait_s:g} s")
            await asyncio.sleep(calls.look_again_s(None, looks))
            batch, looks = await self.batch(batch.id), looks + 1
            on_progress(batch)
        return batch

    async def cancel_batch(self, batch: Batch) -> Batch:
        """Leave undone what is not done; how the batch stands after that."""
        return Batch.read(await self._ask(Call("POST", f"/batches/{batch.id}/cancel")))

    async def download_batch(self, batch: Batch, file: BinaryIO) -> None:
        """Write the ZIP of all that is finished, with its manifest, into `file`."""
        async with self._http.stream("GET", f"/batches/{batch.id}/results") as response:
            if not response.is_success:
                await response.aread()
            async for piece in calls.check(response).aiter_bytes():
                file.write(piece)

    async def _done(self, call: Call, wait_s: float) -> Job:
        job = Job.read(await self._ask(call))
        return await self.wait(job, wait_s) if wait_s else job

    async def _ask(self, call: Call) -> Any:
        return (await self._send(call)).json()

    async def _send(self, call: Call) -> httpx.Response:
        for attempt in range(1, calls.TRIES + 1):
            is_last = attempt == calls.TRIES
            response = None
            try:
                response = await self._http.request(**call.arguments())
            except httpx.TransportError as error:
                if is_last:
                    raise Unreachable(f"the server does not answer: {error}") from error
            if response is not None and (is_last or not calls.may_retry(response)):
                return calls.check(response)
            await asyncio.sleep(calls.pause_s(attempt, response))
            calls.rewind(call)
        raise AssertionError("the last try returns or raises")
