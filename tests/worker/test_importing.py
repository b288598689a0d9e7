"""Published files become a checkpoint, by a real process of its own; the queue is a real Valkey."""

import json
import os
import pickle
import signal
import time
from pathlib import Path

import pytest
import torch

from models.checkpoint import Header, read_header
from tests.processes import is_alive, until
from tests.published import write_published
from tests.queue_server import OwnServer
from tests.worker.conftest import StartWorker
from worker.importing import Importer
from worker.imports import GivenFile, Imports, ImportView, Order
from worker.loading import ModelPool
from worker.messages import Failure
from worker.queue import QueueDown
from worker.records import Status
from worker.settings import Settings
from worker.store import NotStored, Store

MODEL = "attngan-birds-256"


class House:
    """A worker's parts that an import touches, and how often it looked after people meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self.imports = Imports.from_settings(settings)
        self.store = Store.from_settings(settings)
        self.folders = (settings.data_dir / "shipped", settings.data_dir / "own")
        self.models = ModelPool(self.folders, torch.device("cpu"))
        self.looks = 0
        self.announced = 0

    def order(self, files: list[Path]) -> str:
        """The import of these files, which waits for a worker; its id."""
        given = [GivenFile(f.name, self._keep(f)) for f in files]
        return self.imports.submit(Order("attngan", "birds", tuple(given), ("a yellow bird",)))

    def do(self, files: list[Path]) -> ImportView:
        """What becomes of these files."""
        import_id = self.order(files)
        view = self.imports.read(import_id)
        assert view.status is Status.QUEUED
        importer = Importer(
            self.imports,
            self.store,
            self.models,
            self.folders,
            between=self._look,
            announce=self._announce,
            is_stopping=lambda: False,
        )
        importer.run(import_id)
        for file in view.order.files:
            with pytest.raises(NotStored):
                self.store.entry(file.file_id)
        return self.imports.read(import_id)

    def left(self) -> list[str]:
        return sorted(path.name for path in self.folders[1].iterdir())

    def _keep(self, file: Path) -> str:
        with file.open("rb") as content:
            return self.store.put_file(content, suffix=".bin")

    def _look(self) -> None:
        self.looks += 1

    def _announce(self) -> None:
        self.announced += 1


@pytest.fixture
def house(settings: Settings) -> House:
    return House(settings)


@pytest.fixture
def published(tmp_path: Path) -> list[Path]:
    return write_published(tmp_path)


def test_published_files_become_a_model_in_memory_while_people_are_served(
    house: House, published: list[Path]
) -> None:
    view = house.do(published)
    assert (view.status, view.model, view.error) == (Status.SUCCEEDED, MODEL, None)
    assert house.left() == [f"{MODEL}.safetensors"]
    header = read_header(house.folders[1] / f"{MODEL}.safetensors")
    assert (header.published, header.examples) == (True, ("a yellow bird",))
    assert "netG_epoch_600.pth" in header.data
    assert house.models.resident == (MODEL,)
    assert house.announced == 1
    assert house.looks > 3


def test_what_does_not_fit_is_refused_with_what_is_missing_and_leaves_nothing(
    house: House, published: list[Path]
) -> None:
    torch.save({"ca_net.fc.weight": torch.zeros(16, 256), "odd": torch.zeros(1)}, published[0])
    view = house.do(published)
    assert view.status is Status.FAILED
    assert view.error
    assert "netG_epoch_600.pth does not fit: missing: " in view.error.detail
    assert "unexpected: odd" in view.error.detail
    assert house.left() == []


def test_a_file_that_would_run_code_is_refused_and_runs_none(
    house: House, published: list[Path], tmp_path: Path
) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, (f"touch {tmp_path}/ran",)

    torch.save({"ca_net.fc.weight": Hostile()}, published[0])
    published[2].write_bytes(pickle.dumps(Hostile()))
    view = house.do(published)
    assert view.error
    assert "can't be read" in view.error.detail
    assert not (tmp_path / "ran").exists()


def test_no_model_takes_the_place_of_another(house: House, published: list[Path]) -> None:
    shipped = Header("attngan", "birds", 256, {}, ("bird",))
    raw = json.dumps({"__metadata__": shipped.to_metadata()}).encode()
    house.folders[0].mkdir()
    (house.folders[0] / "other-name.safetensors").write_bytes(len(raw).to_bytes(8, "little") + raw)
    view = house.do(published)
    assert view.error
    assert f"there is a model {MODEL} already" in view.error.detail
    assert house.left() == []


def test_what_a_worker_made_that_died_before_it_could_say_so_is_the_model_that_was_wanted(
    house: House, published: list[Path]
) -> None:
    """The import is begun again, and finds its own checkpoint in its place."""
    house.do(published)
    [path] = house.folders[1].iterdir()
    before = path.stat()
    view = house.do(published)
    assert (view.status, view.model) == (Status.SUCCEEDED, MODEL)
    assert [path] == list(house.folders[1].iterdir())
    assert path.stat().st_ino == before.st_ino


class Away(Imports):
    """A queue server that is away for all of an import, and for a moment after it."""

    tries = 0

    def advance(self, import_id: str, progress: float) -> None:
        raise QueueDown("it is away")

    def finish(self, import_id: str, outcome: str | Failure) -> None:
        self.tries += 1
        if self.tries < 3:
            raise QueueDown("it is away")
        super().finish(import_id, outcome)


def test_an_import_whose_queue_server_is_away_is_told_of_when_that_is_back(
    house: House, settings: Settings, published: list[Path]
) -> None:
    house.imports = Away.from_settings(settings)
    assert house.do(published).status is Status.SUCCEEDED


def test_an_import_outlives_its_worker_and_the_process_beside_it_does_not(
    house: House, settings: Settings, published: list[Path], start_worker: StartWorker
) -> None:
    worker = start_worker()
    import_id = house.order(published)
    until(lambda: converters(import_id))
    [converter] = converters(import_id)
    os.kill(converter, signal.SIGSTOP)  # it begins, and is not done before its worker is dead
    worker.kill()
    worker.wait()
    os.kill(converter, signal.SIGCONT)
    until(lambda: not is_alive(converter))
    assert list(settings.checkpoints[0].glob(".import-*/made/*")) == []
    start_worker()
    until(lambda: house.imports.read(import_id).finished_at)
    view = house.imports.read(import_id)
    assert (view.status, view.model, view.error) == (Status.SUCCEEDED, MODEL, None)
    assert (settings.checkpoints[0] / f"{MODEL}.safetensors").exists()


def test_an_import_goes_on_while_the_queue_server_is_away(
    settings: Settings, published: list[Path], start_worker: StartWorker, own_server: OwnServer
) -> None:
    elsewhere = settings.model_copy(update={"redis_url": own_server.url})
    house = House(elsewhere)
    worker = start_worker(redis_url=own_server.url)
    import_id = house.order(published)
    until(lambda: converters(import_id))
    [converter] = converters(import_id)
    time.sleep(1)  # until that is on disk
    own_server.kill()
    until(lambda: (settings.checkpoints[0] / f"{MODEL}.safetensors").exists())
    assert not is_alive(converter)
    own_server.start()
    until(lambda: house.imports.read(import_id).finished_at)
    view = house.imports.read(import_id)
    assert view.error is None, view.error.detail
    assert view.status is Status.SUCCEEDED
    assert worker.poll() is None


def converters(import_id: str) -> list[int]:
    """The processes that make the checkpoint of an import."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
            continue
        if import_id in command:
            found.append(int(process.name))
    return found
