"""The client against a real web process; workers are played by hand."""

import asyncio
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import SimpleNamespace
from typing import Any, ClassVar, cast
from zipfile import ZipFile

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import picture, serving, write_checkpoint
from tests.processes import until
from wordbrush import (
    AsyncClient,
    BadAddress,
    BadAnswer,
    BadKey,
    Batch,
    Client,
    Job,
    JobCanceled,
    JobFailed,
    Refused,
    TooLong,
    Unreachable,
    calls,
    steps,
)
from wordbrush.calls import Call
from wordbrush.steps import Pause
from worker.batches import Batches
from worker.messages import Failure, Metrics, Result
from worker.queue import JobQueue, Status
from worker.store import Store

ROOT = Path(__file__).resolve().parents[2]
CAPTION = "this flower has yellow petals"
Finish = Callable[[str], Result]


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture
def ours(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client


@pytest.fixture
def worked(queue: JobQueue, finish: Finish) -> Iterator[None]:
    """The next job is done as soon as it comes, by a worker in a thread."""

    def work() -> None:
        popped = queue.connection.blpop(["rq:queue:wordbrush-interactive"], 30)
        assert popped is not None
        finish(popped[1].decode())

    thread = Thread(target=work)
    thread.start()
    yield
    thread.join()


class FirstPiece(httpx.SyncByteStream):
    """A stream that is cut off after what comes first."""

    def __init__(self, whole: httpx.SyncByteStream) -> None:
        self.whole = whole

    def __iter__(self) -> Iterator[bytes]:
        yield next(iter(self.whole))
        raise httpx.ReadError("cut off")

    def close(self) -> None:
        self.whole.close()


@pytest.mark.usefixtures("worked")
def test_an_edit_is_waited_for_and_saved(ours: Client, queue: JobQueue, tmp_path: Path) -> None:
    job = ours.edit(
        picture(), CAPTION, seed=7, crop=(8, 4, 32, 40), full_resolution=False, mask=picture()
    )
    asked = queue.read(job.id).request
    assert (asked.seed, asked.full_resolution, asked.crop and asked.crop.width) == (7, False, 32)
    assert asked.mask_id
    assert (job.status, job.is_done, job.outputs[0].width) == ("succeeded", True, 64)
    ours.save(job, tmp_path / "out.jpg")
    assert (tmp_path / "out.jpg").read_bytes() == picture()


def test_a_photo_may_be_a_path_a_file_or_bytes_and_be_named_again(
    ours: Client, queue: JobQueue, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(picture())
    photos = (tmp_path / "a.jpg", str(tmp_path / "a.jpg"), BytesIO(picture()), picture())
    assert all(ours.edit(photo, CAPTION, wait_s=0).image_id for photo in photos)
    image_id = ours.store_image(picture())
    assert ours.edit(None, CAPTION, image_id=image_id, wait_s=0).image_id == image_id
    assert queue.depth() == 5


def test_a_wish_may_have_another_end_and_who_is_told(ours: Client, queue: JobQueue) -> None:
    red = "red petals"
    edit = ours.edit(picture(), CAPTION, caption_to=red, image_to=picture(), steps=5, wait_s=0)
    asked = queue.read(edit.id).request
    assert (asked.caption_to, asked.steps) == (red, 5)
    assert asked.image_id_to not in (None, asked.image_id)
    assert (edit.caption_to, edit.image_id_to) == (red, asked.image_id_to)
    onwards = ours.edit(None, red, image_id=asked.image_id, image_id_to=asked.image_id_to, wait_s=0)
    assert queue.read(onwards.id).request.image_id_to == asked.image_id_to
    with pytest.raises(Refused, match="not at a public address"):
        ours.edit(picture(), CAPTION, webhook="http://127.0.0.1/hook", wait_s=0)


def test_an_interpolation_is_fetched_as_one_file(
    ours: Client, store: Store, finish: Finish
) -> None:
    job = ours.edit(picture(), CAPTION, caption_to="red petals", wait_s=0)
    moving = finish(job.id).animation
    assert ours.animation(job) == store.get(moving or "")
    assert ours.animation(job, "gif").startswith(b"GIF")


def test_an_option_that_is_none_is_no_option(ours: Client, queue: JobQueue) -> None:
    with pytest.raises(TypeError, match="variation"):
        ours.edit(picture(), CAPTION, variation=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="mask"):
        ours.generate(CAPTION, mask=picture())  # type: ignore[call-arg]
    assert queue.depth() == 0


def test_what_was_refused_says_why(ours: Client) -> None:
    with pytest.raises(Refused, match="none of these words") as refused:
        ours.edit(picture(), "crimson blossom")
    assert refused.value.status == 422
    assert "red" in refused.value.suggestions


def test_what_failed_or_takes_too_long_says_so(ours: Client, queue: JobQueue) -> None:
    job = ours.edit(picture(), CAPTION, wait_s=0)
    with pytest.raises(TooLong, match="queued"):
        ours.wait(job, 0.01)
    queue.finish(job.id, Failure("The picture is gone", "upload it again"))
    with pytest.raises(JobFailed, match="upload it again"):
        ours.wait(job)


def test_what_was_canceled_or_has_expired_is_not_said_to_have_failed(
    ours: Client, queue: JobQueue
) -> None:
    job = ours.edit(picture(), CAPTION, wait_s=0)
    ours.cancel(job)
    with pytest.raises(JobCanceled, match="it was canceled"):
        ours.wait(job)
    late = ours.edit(picture(), CAPTION, wait_s=0)
    queue.connection.delete(f"rq:job:{late.id}")  # as RQ does with what waits too long
    with pytest.raises(JobFailed, match="it has expired"):
        ours.wait(late)


def test_what_failed_is_asked_for_again(ours: Client, queue: JobQueue) -> None:
    job = ours.edit(picture(), CAPTION, wait_s=0)
    queue.finish(job.id, Failure("Something went wrong inside", "try again", retryable=True))
    again = ours.retry(job, wait_s=0)
    assert again.id != job.id
    assert queue.read(again.id).request == queue.read(job.id).request


def test_a_server_that_is_away_is_said(free_port: int) -> None:
    job, batch = (
        Job("a", "queued", "generate", "m", "red", 0, "now"),
        Batch("a", "queued", {}, "now"),
    )
    with Client(f"http://127.0.0.1:{free_port}", absence_s=1) as client:
        for ask in (
            client.models,
            lambda: list(client.follow(job)),
            lambda: client.download_batch(batch, BytesIO()),
        ):
            with pytest.raises(Unreachable):
                ask()


def test_a_restart_of_the_server_is_outlasted_and_said(
    web_settings: Settings, free_port: int, queue: JobQueue
) -> None:
    news: SimpleQueue[str] = SimpleQueue()
    batches = Batches.from_settings(web_settings)
    with (
        Client(f"http://127.0.0.1:{free_port}", on_absence=news.put) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        with serving(create_app(web_settings), free_port):
            job = client.edit(picture(), CAPTION, wait_s=0)
            batch = client.create_batch([{"caption": "red", "image_id": job.image_id}])

        def after_an_absence(ask: Callable[[], Any]) -> Any:
            doing = pool.submit(ask)
            assert "does not answer" in news.get(timeout=30)
            with serving(create_app(web_settings), free_port):
                return doing.result()

        queue.finish(job.id, Result((), Metrics()))
        batches.note(batch.id, "tagan-flowers-64", {0: Failure("No", "no")})
        assert after_an_absence(lambda: client.wait(job)).status == "succeeded"
        assert after_an_absence(lambda: list(client.follow(job)))[-1].job.id == job.id
        ended = after_an_absence(lambda: client.wait_for_batch(batch))
        assert ended.request_counts["failed"] == 1
        file = BytesIO()
        after_an_absence(lambda: client.download_batch(batch, file))
        assert ZipFile(file).namelist() == ["manifest.jsonl"]
    batches.connection.close()


def test_a_download_that_was_cut_off_begins_again(address: str) -> None:
    class CutOff(httpx.HTTPTransport):
        tries = 0

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            if request.url.path.endswith("/results"):
                self.tries += 1
                if self.tries == 1:
                    response.stream = FirstPiece(cast("httpx.SyncByteStream", response.stream))
            return response

    with Client(http=httpx.Client(base_url=address, transport=CutOff())) as client:
        batch, file = client.create_batch([{"caption": "?"}]), BytesIO(b"before")
        file.seek(6)
        client.download_batch(batch, file)
    assert file.getvalue().startswith(b"beforePK")
    assert ZipFile(BytesIO(file.getvalue()[6:])).namelist() == ["manifest.jsonl"]


def test_a_request_that_was_cut_off_is_sent_again_and_done_once(
    address: str, queue: JobQueue
) -> None:
    class CutOff(httpx.HTTPTransport):
        tries = 0

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            self.tries += 1
            if self.tries < 3:  # the server has it, its answer is lost
                response.close()
                raise httpx.ReadError("cut off")
            return response

    http = httpx.Client(base_url=address, transport=CutOff())
    with Client(http=http) as client:
        job = client.edit(picture(), CAPTION, wait_s=0)
    assert job.status == "queued"
    assert queue.depth() == 1


@contextmanager
def answering(*answers: Response) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers in turn and the last for ever; its address, and what it was
    asked.
    """
    other, asked = FastAPI(), list[str]()

    @other.api_route("/{path:path}", methods=["GET", "POST"])
    def answer(path: str) -> Response:
        asked.append(path)
        return answers[min(len(asked), len(answers)) - 1]

    with serving(other) as address:
        yield address, asked


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have slept."""
    seconds: list[float] = []
    monkeypatch.setattr("wordbrush.client.time.sleep", seconds.append)
    return seconds


@pytest.mark.parametrize("was_reached", [True, False])
def test_a_restart_while_a_request_waits_is_outlasted_but_no_server_that_was_never_there(
    address: str, queue: JobQueue, slept: list[float], was_reached: bool
) -> None:
    class Restarting(httpx.HTTPTransport):
        tries = 0

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.tries += 1
            if self.tries == 1 and was_reached:
                request.headers["Prefer"] = "wait=0"
                taken = super().handle_request(request)
                queue.finish(json.loads(taken.read())["id"], Result((), Metrics()))
                raise httpx.ReadError("cut off")
            if self.tries < 12:
                raise httpx.ConnectError("refused")
            return super().handle_request(request)

    http = httpx.Client(base_url=address, transport=Restarting())
    with Client(http=http) as client, nullcontext() if was_reached else pytest.raises(Unreachable):
        assert client.edit(picture(), CAPTION, wait_s=60).status == "succeeded"
    assert queue.depth() == was_reached  # it was queued once
    assert len(slept) == (11 if was_reached else 3)


def test_a_restart_while_a_batch_is_sent_is_outlasted(address: str, slept: list[float]) -> None:
    class Restarting(httpx.HTTPTransport):
        tries = 0

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.tries += 1
            if self.tries == 1:
                super().handle_request(request).read()
                raise httpx.ReadError("cut off")
            if self.tries < 12:
                raise httpx.ConnectError("refused")
            return super().handle_request(request)

    with Client(http=httpx.Client(base_url=address, transport=Restarting())) as client:
        sent = client.create_batch([{"caption": "?"}])
        assert len(slept) == 11
    listed = httpx.get(f"{address}/batches").json()["batches"]
    assert [one["id"] for one in listed] == [sent.id]


def test_an_address_at_which_no_server_was_ever_reached_is_not_waited_for(
    slept: list[float],
) -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(Unreachable):
        client.edit(picture(), CAPTION, wait_s=600)
    assert len(slept) == 3


@pytest.mark.parametrize("key", ["wb_1_é", "wb_1_a\n", "wb_1 a"])
def test_a_key_that_can_be_none_is_refused_before_anything_is_sent(key: str) -> None:
    for kind in (Client, AsyncClient):
        with pytest.raises(BadKey, match=r"wanted wb_\.\.\."):
            kind("http://127.0.0.1:1", key=key)


@pytest.fixture
def web(
    web_settings: Settings, free_port: int, processes: list[subprocess.Popen[bytes]]
) -> Callable[[], subprocess.Popen[bytes]]:
    """Starts a web process on `free_port`, and returns when it answers."""

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "app", "web", "--port", str(free_port)]
        environment = os.environ | web_settings.to_environment()
        processes.append(
            subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        )
        until(lambda: _answers(free_port))
        return processes[-1]

    def _answers(port: int) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/livez").is_success
        except httpx.TransportError:
            return False

    return start


def in_a_thread(client: dict[str, Any], name: str, *given: Any) -> Any:
    """What a method of a `Client` answers."""
    with Client(**client) as ours:
        return getattr(ours, name)(*given)


def on_a_loop(client: dict[str, Any], name: str, *given: Any) -> Any:
    """What a method of an `AsyncClient` answers."""

    async def use() -> Any:
        async with AsyncClient(**client) as ours:
            return await getattr(ours, name)(*given)

    return asyncio.run(use())


class FatalToRead(BytesIO):
    """A file that ends a process when it is first read from."""

    def __init__(self, data: bytes, process: subprocess.Popen[bytes]) -> None:
        super().__init__(data)
        self.process = process

    def read(self, size: int | None = -1) -> bytes:
        self.process.kill()
        self.process.wait()
        return super().read(size)


@pytest.mark.parametrize("ask", [in_a_thread, on_a_loop])
@pytest.mark.parametrize(("name", "given"), [("edit", (picture(), CAPTION)), ("generate", ["red"])])
def test_a_web_process_killed_while_a_wish_waits_is_outlasted_and_it_is_done_once(
    ask: Callable[..., Any],
    name: str,
    given: Sequence[Any],
    web: Callable[[], subprocess.Popen[bytes]],
    web_settings: Settings,
    free_port: int,
    queue: JobQueue,
    finish: Finish,
) -> None:
    write_checkpoint(web_settings.checkpoints[0], system="attngan")
    killed, news = web(), SimpleQueue[str]()
    client = {"server": f"http://127.0.0.1:{free_port}", "on_absence": news.put}
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(ask, client, name, *given)
        until(queue.depth)
        killed.kill()
        killed.wait()
        news.get(timeout=60)
        web()
        [job_id] = queue.connection.lrange("rq:queue:wordbrush-interactive", 0, -1)
        finish(job_id.decode())
        assert doing.result().status == "succeeded"
    assert queue.depth() == 1


@pytest.mark.parametrize("ask", [in_a_thread, on_a_loop])
def test_a_web_process_killed_while_a_batch_is_sent_is_outlasted_and_it_is_begun_once(
    ask: Callable[..., Any], web: Callable[[], subprocess.Popen[bytes]], free_port: int
) -> None:
    photos = BytesIO()
    with ZipFile(photos, "w") as archive:
        archive.writestr("a.jpg", picture())
    news: SimpleQueue[str] = SimpleQueue()
    client = {"server": f"http://127.0.0.1:{free_port}", "on_absence": news.put}
    with ThreadPoolExecutor(1) as pool:
        file = FatalToRead(photos.getvalue(), web())
        lines = [{"caption": CAPTION, "image": "a.jpg"}]
        doing = pool.submit(ask, client, "create_batch", lines, file)
        news.get(timeout=60)
        web()
        begun = doing.result()
    listed = httpx.get(f"http://127.0.0.1:{free_port}/batches").json()["batches"]
    assert [one["id"] for one in listed] == [begun.id]
    assert begun.request_counts["pending"] == 1


@pytest.mark.usefixtures("slept")
def test_a_gateway_whose_server_is_away_is_asked_for_as_long_as_the_server_would_be() -> None:
    done = JSONResponse({"id": "a", "status": "succeeded", "task": "generate", "model": "m",
                         "caption": "red", "seed": 0, "created_at": "now"})  # fmt: skip
    away = [Response(status_code=502)] * 9
    with answering(*away, done) as (address, asked), Client(address) as client:
        assert client.generate("red").id == "a"
        assert len(asked) == 10


def test_a_request_that_is_sent_again_lets_the_server_wait_no_longer_than_its_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("wordbrush.steps.time", SimpleNamespace(monotonic=lambda: now))
    doing = steps.finished(calls.generate("red", 50, {}), 50, 90)
    waits = []
    for later in (20, 29.5):
        call = doing.send(None)
        assert isinstance(call, Call)
        waits.append(call.headers.get("Prefer"))
        cut_off = httpx.ReadError("cut off", request=httpx.Request("POST", "http://a"))
        assert isinstance(doing.send(cut_off), Pause)
        now = 1000 + later
    call = doing.send(None)
    assert isinstance(call, Call)
    assert [*waits, call.headers.get("Prefer")] == ["wait=50", "wait=30", "wait=20"]


def full(retry_after: int | str, status: int = 429) -> Response:
    return Response(status_code=status, headers={"Retry-After": str(retry_after)})


def test_a_server_can_not_make_the_client_sleep_longer_than_its_caller_waits(
    slept: list[float],
) -> None:
    job = Job("a", "queued", "generate", "m", "red", 0, "now")
    with answering(full(86400)) as (address, asked), Client(address) as client:
        for ask in (
            lambda: client.generate("red", wait_s=5),
            lambda: client.generate("red", wait_s=0),
            lambda: client.wait(job, 5),
            client.models,
            lambda: list(client.follow(job)),
        ):
            with pytest.raises(Refused) as refused:
                ask()
            assert refused.value.retry_after_s == 86400
    assert max(slept, default=0) < 5  # before it looks at the job
    with answering(full(6)) as (address, asked), Client(address) as client:
        slept.clear()
        with pytest.raises(Refused):
            client.generate("red", wait_s=5)
        assert (slept, len(asked)) == ([], 1)
        with pytest.raises(Refused):
            client.models()
        assert slept == [6, 6, 6]
    with answering(full(40)) as (address, asked), Client(address) as client:
        slept.clear()
        with pytest.raises(Refused):
            client.models()
        assert slept == [40]


@pytest.mark.usefixtures("slept")
def test_when_to_come_again_may_be_told_as_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    for said, least, most in (
        (format_datetime(soon, usegmt=True), 200, 300),
        (soon.strftime("%A, %d-%b-%y %H:%M:%S GMT"), 200, 300),  # RFC 850
        (soon.strftime("%a %b %e %H:%M:%S %Y"), 200, 300),  # asctime
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 0),
        ("Sun Nov  6 08:49:37 1994", 0, 0),
        ("Sun Nov 31 08:49:37 1994", None, None),
        ("soon", None, None),
        ("-5", None, None),
    ):
        with (
            answering(full(said)) as (address, _),
            Client(address) as client,
            pytest.raises(Refused) as refused,
        ):
            client.generate("red", wait_s=0)
        after_s = refused.value.retry_after_s
        assert after_s is None if least is None else least <= (after_s or 0) <= (most or 0)


def test_a_look_is_not_put_off_for_longer_than_is_to_be_waited() -> None:
    job = Job("a", "queued", "generate", "m", "red", 0, "now", eta_s=100.0)
    first = next(steps.wait(job, 0.05, 0))
    assert isinstance(first, Pause)
    assert first.seconds <= 0.05


@pytest.mark.usefixtures("slept")
def test_a_gateway_without_an_answer_is_asked_again_where_that_does_no_harm() -> None:
    models = JSONResponse({"models": []})
    for status in (429, 502, 503, 504):
        away = Response(status_code=status)
        with answering(away, models) as (address, asked), Client(address) as client:
            assert client.models() == []
            assert len(asked) == 2
        with answering(away, full(0, 404)) as (address, asked), Client(address) as client:
            with pytest.raises(Refused) as refused:
                client.generate("red", wait_s=0)
            assert refused.value.status == 404
        with answering(away, Response()) as (address, asked), Client(address) as client:
            is_harmless = status in (429, 503)  # else the receiver may have been told
            with nullcontext() if is_harmless else pytest.raises(Refused):
                client.resend_webhook("job_a")
            assert len(asked) == 1 + is_harmless


def test_what_answers_otherwise_than_a_server_of_ours_is_said() -> None:
    job, batch = (
        Job("a", "queued", "generate", "m", "red", 0, "now"),
        Batch("a", "queued", {}, "now"),
    )
    page = HTMLResponse("<html>")
    for answer in (page, JSONResponse([]), JSONResponse({"jobs": 7}), JSONResponse("id")):
        with answering(answer) as (address, _), Client(address) as client:
            for ask in (
                client.models,
                lambda: client.store_image(picture()),
                lambda: client.generate("red"),
                lambda: client.job("a"),
                lambda: list(client.jobs()),
                lambda: client.batch("a"),
                lambda: list(client.batch_items(batch)),
                lambda: list(client.follow(job)),
                lambda: client.download_batch(batch, BytesIO()),
            ):
                with pytest.raises(BadAnswer, match=r"wanted .*; is the address right"):
                    ask()
    with (
        answering(page) as (address, _),
        Client(address.replace("//", "//ada:secret@")) as client,
        pytest.raises(BadAnswer, match=f"^{address}/models .* sent text/html") as told,
    ):
        client.models()
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    "server", ["", "nonsense", "localhost:8000", "ftp://here", "http://", "http://[::1", "//a"]
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(
    kind: type[Client | AsyncClient], server: str
) -> None:
    with pytest.raises(BadAddress, match="wanted such as http"):
        kind(server)
    with pytest.raises(BadAddress) as told:
        kind(f"ada:secret@{server}")
    assert "secret" not in str(told.value)


def test_who_does_not_answer_is_named_without_secrets(free_port: int) -> None:
    away = f"http://127.0.0.1:{free_port}"
    with (
        Client(away.replace("//", "//ada:secret@")) as client,
        pytest.raises(Unreachable, match=f"^{away} does not answer: .*refused"),
    ):
        client.models()


def test_a_server_that_has_moved_is_named_and_sent_nothing(address: str, queue: JobQueue) -> None:
    moved = Response(status_code=308, headers={"Location": f"{address}/generate?key=secret"})
    with (
        answering(moved) as (old, _),
        Client(old) as client,
        pytest.raises(BadAnswer, match=f"^{old}/manipulate leads to {address}/generate; is the"),
    ):
        client.edit(picture(), CAPTION)
    assert queue.depth() == 0


def test_a_refusal_without_a_word_is_told_with_its_address() -> None:
    page = HTMLResponse("<html>", status_code=404)
    with answering(page, full(0, 413)) as (address, _), Client(address) as client:
        with pytest.raises(Refused, match=f"^HTTP 404: {address}/models does not say why; is the"):
            client.models()
        with pytest.raises(Refused, match=f"^HTTP 413: {address}/models does not say why$"):
            client.models()


def test_an_id_is_not_taken_for_a_way_to_something_else(ours: Client) -> None:
    for ask in (ours.job, ours.batch, ours.resend_webhook):
        for not_one in ("../models", "..", "a/b", "a?b", "a#b"):
            with pytest.raises(Refused) as refused:
                ask(not_one)
            assert refused.value.status in (404, 422)


def test_a_job_is_followed_to_its_end(ours: Client, queue: JobQueue, finish: Finish) -> None:
    job = ours.edit(picture(), CAPTION, wait_s=0)
    events = ours.follow(job)
    assert next(events).status == "queued"
    queue.connection.lpop("rq:queue:wordbrush-interactive")
    queue.mark(job.id, Status.PROCESSING)
    finish(job.id)
    *_, last = events
    assert last.job == ours.job(job.id)


def test_a_stream_that_was_cut_off_goes_on_after_its_last_event(
    address: str, queue: JobQueue, finish: Finish
) -> None:
    class CutOff(httpx.HTTPTransport):
        had: ClassVar[list[str | None]] = []

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            if request.url.path.endswith("/events"):
                self.had.append(request.headers.get("last-event-id"))
                if len(self.had) == 1:
                    response.stream = FirstPiece(cast("httpx.SyncByteStream", response.stream))
            return response

    with Client(http=httpx.Client(base_url=address, transport=CutOff())) as client:
        job = client.edit(picture(), CAPTION, wait_s=0)
        events = client.follow(job)
        assert next(events).status == "queued"
        queue.connection.lpop("rq:queue:wordbrush-interactive")
        finish(job.id)
        told = list(events)
        assert told[-1].job == client.job(job.id)
    assert "queued" not in [event.status for event in told]
    assert CutOff.had[0] is None
    assert CutOff.had[1]


def test_jobs_are_listed_past_the_first_page(ours: Client) -> None:
    image_id = ours.store_image(picture())
    jobs = [ours.edit(None, CAPTION, image_id=image_id, wait_s=0) for _ in range(5)]
    ours.cancel(jobs[1])
    assert [job.id for job in ours.jobs(limit=2)] == [job.id for job in jobs[::-1]]
    assert [job.id for job in ours.jobs(status="canceled")] == [jobs[1].id]


def test_a_batch_is_sent_watched_and_fetched(ours: Client, web_settings: Settings) -> None:
    photos = BytesIO()
    with ZipFile(photos, "w") as archive:
        archive.writestr("a.jpg", picture())
    photos.seek(0)
    lines = [{"caption": "red", "image": "a.jpg"}, {"caption": "red", "image": "b.jpg"}]
    batch = ours.create_batch(lines, photos, seed=3)
    heard = []

    def hear(now: object) -> None:
        heard.append(now)
        batches.note(batch.id, "tagan-flowers-64", {0: Failure("No", "no")})

    batches = Batches.from_settings(web_settings)
    ended = ours.wait_for_batch(batch, on_progress=hear)
    assert ended.request_counts["failed"] == 2
    assert [item.error and item.error.title for item in ours.batch_items(ended)] == [
        "No",
        "The line cannot be used",
    ]
    file = BytesIO()
    ours.download_batch(ended, file)
    with ZipFile(file) as archive:
        assert len(archive.read("manifest.jsonl").splitlines()) == 2
    assert ours.cancel_batch(ended) == ended
    batches.connection.close()


def test_a_batch_may_be_files_named_by_their_paths(ours: Client, tmp_path: Path) -> None:
    lines, photos = tmp_path / "lines.csv", tmp_path / "photos.zip"
    lines.write_text("caption,image\nred petals,a.jpg\n")
    with ZipFile(photos, "w") as archive:
        archive.writestr("a.jpg", picture())
    for items, images in ((lines, photos), (str(lines), str(photos))):
        assert ours.create_batch(items, images).request_counts["pending"] == 1


def test_the_key_is_shown(address: str) -> None:
    seen: list[str] = []

    def note(request: httpx.Request) -> None:
        seen.append(request.headers["authorization"])

    with Client(address, key="wb_1") as client:
        client._http.event_hooks["request"].append(note)
        client.models()
    assert seen == ["Bearer wb_1"]


def test_on_an_event_loop_it_is_the_same(address: str, queue: JobQueue, finish: Finish) -> None:
    async def use() -> None:
        async with AsyncClient(address) as client:
            assert (await client.models())[0].id == "tagan-flowers-64"
            job = await client.edit(picture(), CAPTION, wait_s=0)
            [listed] = [one async for one in client.jobs()]
            assert listed.id == job.id
            await asyncio.to_thread(finish, job.id)
            *_, last = [event async for event in client.follow(job)]
            assert last.job == await client.wait(job)
            assert await client.image(last.job.outputs[0]) == picture()
            batch = await client.create_batch([{"caption": "?"}])
            assert [item.status async for item in client.batch_items(batch)] == ["failed"]
            file = BytesIO()
            await client.download_batch(batch, file)
            assert json.loads(ZipFile(file).read("manifest.jsonl"))["status"] == "failed"

    with ThreadPoolExecutor(1) as pool:  # the browser tests leave a loop running on this thread
        pool.submit(lambda: asyncio.run(use())).result()


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, list[str]]:
        public = {name: m for name, m in vars(kind).items() if name[0] != "_" and callable(m)}
        return {name: list(inspect.signature(m).parameters) for name, m in public.items()}

    assert methods(Client) == methods(AsyncClient)


def test_importing_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, wordbrush; heavy = {'torch', 'fastapi', 'pydantic', 'PIL', 'redis', 'numpy'};"
        "sys.exit(bool(heavy & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
