"""Published files become a checkpoint, by a real process of its own; the queue is a real Valkey."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch

from models.checkpoint import Header, read_header
from tests.published import write_published
from worker.importing import Importer
from worker.imports import GivenFile, Imports, ImportView, Order
from worker.loading import ModelPool
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

    def do(self, files: list[Path]) -> ImportView:
        """What becomes of these files."""
        given = [GivenFile(f.name, self._keep(f)) for f in files]
        order = Order("attngan", "birds", tuple(given), ("a yellow bird",))
        import_id = self.imports.submit(order)
        assert self.imports.read(import_id).status is Status.QUEUED
        importer = Importer(
            self.imports,
            self.store,
            self.models,
            self.folders,
            between=self._look,
            announce=self._announce,
        )
        importer.run(import_id)
        for file in given:
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
