"""`wordbrush batch` as a person types it, on a real web process; workers are played by hand."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from app.batch_folder import BatchFolder
from app.main import create_app
from app.settings import Settings
from tests.app.conftest import picture, serving
from tests.processes import until
from worker.batch_records import key_of
from worker.batches import Batches
from worker.messages import Metrics, OutputFile, Result
from worker.queue import JobQueue
from worker.store import Store

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., subprocess.Popen[bytes]]


class Folders:
    """A file of captions, a folder of the photos that it names, and where results go."""

    def __init__(self, path: Path) -> None:
        self.captions, self.images, self.out = path / "captions.csv", path / "images", path / "out"
        self.images.mkdir()

    def write(self, *lines: str) -> None:
        self.captions.write_text("\n".join(lines) + "\n")

    @property
    def words(self) -> tuple[str, ...]:
        """Of the command."""
        return (str(self.captions), str(self.images), "--out", str(self.out))

    def pictures(self) -> list[str]:
        return sorted(path.name for path in self.out.glob("*.jpg"))


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path)
    (made.images / "a.jpg").write_bytes(picture())
    made.write("caption,image", "red petals,a.jpg")
    return made


@pytest.fixture
def batch(free_port: int) -> Iterator[Start]:
    """Starts the command against a server on `free_port`."""

    def start(*words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "batch", *words],
            cwd=ROOT,
            env=os.environ | {"WORDBRUSH_SERVER": f"http://127.0.0.1:{free_port}"},
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    started: list[subprocess.Popen[bytes]] = []
    yield start
    for process in started:
        with process:  # closes the pipe and waits
            process.kill()


@pytest.fixture
def draw(web_settings: Settings, store: Store) -> Iterator[Callable[[str], None]]:
    """Does all that is left of a batch, as a worker would."""
    batches = Batches.from_settings(web_settings)

    def end(batch_id: str) -> None:
        view = batches.read(batch_id)
        for item in batches.items(view, range(view.total)):
            key = store.put(picture(), kind="results", suffix=".jpg")
            output = OutputFile(key, "image/jpeg", 64, 48, seed=7, network_image=key)
            result = Result((output,), Metrics(predict_s=0.04))
            if item.item.request:
                batches.note(batch_id, item.item.request.model, {item.number: result})

    yield end
    batches.connection.close()


def said(process: subprocess.Popen[bytes], text: str) -> str:
    """The line in which it says that; whatever it says until then."""
    lines = []
    for line in process.stderr or ():
        lines.append(line.decode())
        if text in lines[-1]:
            return lines[-1]
    raise AssertionError(f"it did not say {text!r} but {''.join(lines)}")


def taken(folders: Folders) -> str:
    """Id of the batch that the command waits for, as soon as it does."""
    until(BatchFolder(folders.out).awaited)
    awaited = BatchFolder(folders.out).awaited()
    assert awaited
    return awaited.batch


@pytest.fixture
def address(web_settings: Settings, free_port: int) -> Iterator[str]:
    with serving(create_app(web_settings), free_port) as address:
        yield address


def test_a_command_that_was_cut_off_goes_on_with_its_batch(
    batch: Start,
    folders: Folders,
    draw: Callable[[str], None],
    web_settings: Settings,
    free_port: int,
    queue: JobQueue,
) -> None:
    with serving(create_app(web_settings), free_port):
        first = batch(*folders.words)
        batch_id = taken(folders)
        assert batch_id in said(first, "the same command goes on with it")
        first.kill()

        second = batch(*folders.words)
        said(second, f"going on with batch {batch_id}")
        second.send_signal(signal.SIGINT)
        assert "/about/queue can stop it" in said(second, f"batch {batch_id} goes on")
        assert second.wait(30) == 130

        third = batch(*folders.words)
        said(third, f"going on with batch {batch_id}")
    said(third, "does not answer")
    with serving(create_app(web_settings), free_port):
        draw(batch_id)
        said(third, "1 done, 0 failed")
        assert third.wait(30) == 0
    assert folders.pictures() == ["00000-0.jpg"]
    assert BatchFolder(folders.out).awaited() is None
    assert len(list(queue.connection.scan_iter("wordbrush:batch:*:items"))) == 1


@pytest.mark.usefixtures("address")
def test_another_request_or_a_forgotten_batch_begins_anew(
    batch: Start, folders: Folders, draw: Callable[[str], None], queue: JobQueue
) -> None:
    first = batch(*folders.words)
    earlier = taken(folders)
    first.kill()
    first.wait()

    (folders.images / "a.jpg").write_bytes(picture(65, 48))
    second = batch(*folders.words)
    said(second, f"leaving batch {earlier} at")
    said(second, "the same command goes on with it")
    until(lambda: taken(folders) != earlier)
    forgotten = taken(folders)
    second.kill()
    second.wait()

    queue.connection.delete(key_of(forgotten))
    third = batch(*folders.words)
    said(third, f"the server no longer has batch {forgotten}")
    until(lambda: taken(folders) != forgotten)
    draw(taken(folders))
    assert third.wait(30) == 0


def test_a_folder_that_can_not_be_written_to_is_said_before_anything_is_sent(
    batch: Start, folders: Folders
) -> None:
    folders.out.mkdir()
    (folders.out / "file").write_bytes(b"")
    refused = batch(str(folders.captions), "--out", str(folders.out / "file" / "results"))
    said(refused, "cannot be written to")
    assert refused.wait(30) == 2


@pytest.mark.usefixtures("address")
def test_pictures_of_an_earlier_run_do_not_stay_beside_the_new_manifest(
    batch: Start, folders: Folders, draw: Callable[[str], None]
) -> None:
    for count in (3, 1):
        folders.write("caption,image", *["red petals,a.jpg"] * count)
        running = batch(*folders.words)
        draw(taken(folders))
        assert running.wait(30) == 0
        assert folders.pictures() == [f"0000{n}-0.jpg" for n in range(count)]
    [line] = (folders.out / "manifest.jsonl").read_text().splitlines()
    assert json.loads(line)["files"] == folders.pictures()


@pytest.mark.usefixtures("address")
def test_a_picture_outside_the_folder_fails_its_line_alone(
    batch: Start, folders: Folders, draw: Callable[[str], None]
) -> None:
    (folders.images.parent / "a.jpg").write_bytes(picture())
    outside = [f"x{number}/../../a.jpg" for number in range(11)]
    lines = [f"red petals,{name}" for name in ("./a.jpg", "/a.jpg", *outside)]
    folders.write("caption,image", *lines)
    running = batch(*folders.words)
    assert f"'/a.jpg', it is outside {folders.images}" in said(running, "not sent")
    said(running, "2 more")
    draw(taken(folders))
    said(running, "1 done, 12 failed")
    assert running.wait(30) == 1
    assert folders.pictures() == ["00000-0.jpg"]


def test_a_folder_of_which_no_line_names_a_picture_is_refused_before_anything_is_sent(
    batch: Start, folders: Folders
) -> None:
    folders.write("caption,file", "red petals,a.jpg")
    refused = batch(*folders.words)
    said(refused, "no line names a picture of the folder")
    assert refused.wait(30) == 2


def test_a_server_that_is_none_of_ours_is_said_in_a_line(
    batch: Start, folders: Folders, free_port: int
) -> None:
    other = FastAPI()
    other.post("/batches")(lambda: HTMLResponse("<html>"))
    with serving(other, free_port):
        refused = batch(*folders.words)
        line = said(refused, "it sent text/html")
        assert "is the address right?" in line
        assert refused.wait(30) == 1
    assert refused.stderr
    assert not refused.stderr.read()


@pytest.mark.usefixtures("address")
def test_a_batch_that_somebody_canceled_is_said_to_be_that(
    batch: Start, folders: Folders, web_settings: Settings
) -> None:
    command = batch(*folders.words)
    batches = Batches.from_settings(web_settings)
    view = batches.cancel(taken(folders))
    assert f"0 done, 0 failed, {view.total} canceled" in said(command, "0 done")
    assert command.wait(30) == 1
