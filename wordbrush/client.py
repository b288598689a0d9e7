"""The client for programs that wait."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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


class Client:
    """Speaks to one server; to be closed, or used in a `with`.

    Each method raises Unreachable when the server does not answer, Refused when it does not do what
    is asked, and BadAnswer when it is no server of ours. A request that was cut off, or that came
    while the server was full, is sent again, unless that would take longer than is to be waited,
    and done once. While a job or a batch is followed or fetched, or when it goes away with a wish
    in hand that is waited for, or with a batch, the server may be away for as long as a restart
    takes.
    """

    def __init__(
        self,
        server: str = _SERVER,
        *,
        key: str | None = None,
        timeout_s: float = 90.0,
        absence_s: float = steps.ABSENCE_S,
        on_absence: Callable[[str], object] = lambda news: None,
        http: httpx.Client | None = None,
    ) -> None:
        """`key` is an API key, where the server wants one; `absence_s` is how long the server may
        be away while something there is followed, and `on_absence` hears of it, in a sentence;
        `http` is a client of your own, with the server's address in it.

        Raises:
            BadAddress: `server` is none.
            BadKey: `key` has what no key has.
        """
        self._http = http or httpx.Client(
            base_url=calls.address(server), headers=calls.with_key(key), timeout=timeout_s
        )
        self._absence_s = absence_s
        self._on_absence = on_absence

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def server(self) -> str:
        """Its address, without what a person may have put there to sign in."""
        return str(self._http.base_url.copy_with(userinfo=b"")).rstrip("/")

    def close(self) -> None:
        self._http.close()

    def models(self) -> list[Model]:
        """What can be asked for, the first choice first."""
        return self._take(steps.models())

    def store_image(self, photo: Photo) -> str:
        """Keep a picture on the server; the `image_id` under which edits can name it."""
        return self._take(steps.store_image(photo))

    def edit(
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
            JobCanceled: one of these, since somebody canceled it.
            TooLong: it is not done yet.
        """
        return self._take(
            steps.finished(calls.edit(photo, caption, wait_s, options), wait_s, self._absence_s)
        )

    def generate(
        self,
        caption: str,
        *,
        wait_s: float = 300.0,
        **options: Unpack[GenerateOptions],
    ) -> Job:
        """Draw what the caption says, from words alone; waits and raises as `edit` does."""
        return self._take(
            steps.finished(calls.generate(caption, wait_s, options), wait_s, self._absence_s)
        )

    def job(self, job_id: str) -> Job:
        """The job as it stands."""
        return self._take(steps.job(job_id))

    def jobs(self, **wanted: Any) -> Iterator[Job]:
        """Jobs, newest first; `status`, `model` and `task` choose among them."""
        return self._each(partial(steps.jobs, wanted))

    def wait(self, job: Job, wait_s: float = 300.0) -> Job:
        """The job at its end; raises as `edit` does."""
        return self._take(steps.wait(job, wait_s, self._absence_s))

    def follow(self, job: Job) -> Iterator[Event]:
        """The job's events until it has ended; a stream that was cut off is taken up again."""
        reader, patience = calls.EventReader(), Patience(self._absence_s)
        while True:
            call = calls.events(job.id, reader)
            try:
                with self._stream(call, "text/event-stream") as response:
                    for line in response.iter_lines():
                        for event in reader.feed(line):
                            patience = Patience(self._absence_s)
                            yield event
                            if event.job:
                                return
                raise Unreachable("the stream ended before the job did")
            except (Refused, Unreachable) as error:
                self._step(patience.after(call, error))

    def cancel(self, job: Job) -> Job:
        """Stop the job unless it has ended; how it stands after that."""
        return self._take(steps.cancel(job))

    def retry(self, job: Job, *, wait_s: float = 300.0) -> Job:
        """A new job that asks for the same as one that failed, was canceled or has expired; waits
        and raises as `edit` does.
        """
        return self._take(steps.finished(calls.retry(job.id, wait_s), wait_s, self._absence_s))

    def image(self, output: Output) -> bytes:
        """A finished picture's file."""
        return self._take(steps.image(output))

    def animation(self, job: Job, format: str = "webp") -> bytes:
        """All steps of an interpolation as one file, WebP or GIF."""
        return self._take(steps.animation(job, format))

    def save(self, job: Job, path: str | PathLike[str], number: int = 0) -> None:
        """Write a finished picture of the job to a file."""
        Path(path).write_bytes(self.image(job.outputs[number]))

    def create_batch(
        self,
        items: Sequence[Mapping[str, Any]] | str | PathLike[str] | bytes,
        images: Photo | None = None,
        **defaults: Any,
    ) -> Batch:
        """Ask for many pictures at once. `items` are lines such as {"caption": "red petals",
        "image": "photo.jpg"}, or the path of a JSONL or CSV file of them, or what is in the file;
        `images` is a ZIP with the pictures that they name, as a path or a file; `defaults` hold for
        each line that does not say otherwise.
        """
        call = calls.create_batch(items, images, **defaults)
        return self._take(steps.create_batch(call, self._absence_s))

    def batch(self, batch_id: str) -> Batch:
        """The batch as it stands."""
        return self._take(steps.batch(batch_id))

    def batch_items(self, batch: Batch) -> Iterator[BatchItem]:
        """What came of each line so far."""
        return self._each(partial(steps.batch_items, batch))

    def wait_for_batch(
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
        return self._take(steps.wait_for_batch(batch, wait_s, self._absence_s, on_progress))

    def cancel_batch(self, batch: Batch) -> Batch:
        """Leave undone what is not done; how the batch stands after that."""
        return self._take(steps.cancel_batch(batch))

    def download_batch(self, batch: Batch, file: BinaryIO) -> None:
        """Write the ZIP of all that is finished, with its manifest, into `file`; one that was cut
        off begins again where `file` can go back.
        """
        call, patience = Call("GET", f"/batches/{batch.id}/results"), Patience(self._absence_s)
        start = file.tell() if file.seekable() else None
        while True:
            try:
                with self._stream(call, "application/zip") as response:
                    for piece in response.iter_bytes():
                        file.write(piece)
                    return
            except (Refused, Unreachable) as error:
                if start is None:
                    raise
                self._step(patience.after(call, error))
                file.seek(start)
                file.truncate()

    @contextmanager
    def _stream(self, call: Call, kind: str) -> Iterator[httpx.Response]:
        try:
            with self._http.stream(**call.arguments()) as response:
                if not response.is_success:
                    response.read()
                yield steps.check_kind(steps.check(response), kind)
        except httpx.TransportError as error:
            raise steps.away(error) from error

    def webhooks(self) -> Iterator[Webhook]:
        """Those that were given up, the last one first."""
        return self._each(steps.webhooks)

    def resend_webhook(self, webhook_id: str) -> None:
        """Tell a receiver once more how a job (`job_<id>`) or a batch (`batch_<id>`) ended."""
        self._take(steps.resend_webhook(webhook_id))

    def _take(self, doing: Steps[T]) -> T:
        answer: httpx.Response | httpx.TransportError | None = None
        while True:
            try:
                step = doing.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            answer = self._step(step)

    def _step(self, step: Call | Pause) -> httpx.Response | httpx.TransportError | None:
        if isinstance(step, Pause):
            if step.news:
                self._on_absence(step.news)
            time.sleep(step.seconds)
            return None
        try:
            return self._http.request(**step.arguments())
        except httpx.TransportError as error:
            return error

    def _each(self, read: Callable[[Any], Steps[Page[T]]]) -> Iterator[T]:
        page = self._take(read(None))
        yield from page.entries
        while page.next is not None:
            page = self._take(read(page.next))
            yield from page.entries
