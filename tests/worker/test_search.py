"""Searches through the engine: a library on the disk, and pictures of the store that are named."""

from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import pytest
import torch
from PIL import Image

from models.checkpoint import Header
from models.lite import load_lite
from models.registry import Task
from models.tirg import TINY, Tirg
from models.weights import save
from tests.tiny import WORDS
from worker import search
from worker.engine import Engine
from worker.library import Library
from worker.loading import ModelPool, choose_device
from worker.messages import Candidate, Failure, Found, Match, Request, Result
from worker.search import Searcher
from worker.settings import Settings
from worker.store import Store

COLOURS = ("red", "green", "blue")


@pytest.fixture
def model(settings: Settings) -> str:
    """Id of a TIRG that was never trained, but that looks through trained eyes."""
    header = Header("tirg", "flowers", TINY.image_size, asdict(TINY), WORDS)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        system = Tirg(TINY, header.vocabulary)
    system.trunk.network = load_lite("lite0")
    settings.checkpoints[0].mkdir(parents=True)
    save(system, header, settings.checkpoints[0] / f"{header.id}.safetensors")
    return header.id


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder with a picture of each colour."""
    folder = tmp_path / "library"
    folder.mkdir()
    for colour in COLOURS:
        (folder / f"{colour}.png").write_bytes(picture(colour))
    return folder


@pytest.fixture
def engine(settings: Settings, store: Store, library: Path) -> Engine:
    return build(settings, store, library)


def build(settings: Settings, store: Store, library: Path) -> Engine:
    pool = ModelPool(settings.checkpoints, choose_device("cpu"))
    return Engine(pool, store, Searcher(Library(library), settings.data_dir / "library"))


def picture(colour: str, side: int = 64) -> bytes:
    file = BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "PNG")
    return file.getvalue()


def find(engine: Engine, request: Request) -> Found:
    [result] = engine.run([request])
    assert isinstance(result, Result), result
    assert result.outputs == ()
    assert result.found is not None
    return result.found


def test_a_picture_alone_finds_what_is_most_like_it(
    engine: Engine, store: Store, model: str
) -> None:
    image_id = store.put(picture("#f01010"), kind="uploads")
    found = find(engine, Request(Task.SEARCH, model, "", image_id=image_id))
    assert found.matches[0].name == "red.png"
    assert {match.place for match in found.matches} == {"library"}
    scores = [match.score for match in found.matches]
    assert scores == sorted(scores, reverse=True)
    assert (found.searched, found.left) == (3, 0)


def test_words_and_picture_are_searched_by_together_or_each_alone(
    engine: Engine, store: Store, model: str
) -> None:
    image_id = store.put(picture("#f01010"), kind="uploads")
    both = find(engine, Request(Task.SEARCH, model, "a yellow flower", image_id=image_id))
    words = find(engine, Request(Task.SEARCH, model, "a yellow flower"))
    image = find(engine, Request(Task.SEARCH, model, "", image_id=image_id))
    assert len({found.matches for found in (both, words, image)}) == 3


def test_the_querys_own_picture_is_left_out(engine: Engine, store: Store, model: str) -> None:
    image_id = store.put(picture("red"), kind="uploads")
    found = find(engine, Request(Task.SEARCH, model, "red", image_id=image_id))
    assert {match.name for match in found.matches} == {"green.png", "blue.png"}


def test_only_uploads_that_are_named_are_searched(engine: Engine, store: Store, model: str) -> None:
    mine, other = (store.put(picture(c), kind="uploads") for c in ("yellow", "orange"))
    among = (Candidate("mine", mine), Candidate("gone", other.replace(other[10:20], "0" * 10)))
    found = find(engine, Request(Task.SEARCH, model, "yellow", among=among))
    names = {(match.place, match.name) for match in found.matches}
    assert names == {("among", "mine"), *(("library", f"{c}.png") for c in COLOURS)}


def test_no_more_is_found_than_was_asked_for(engine: Engine, model: str) -> None:
    assert len(find(engine, Request(Task.SEARCH, model, "red", limit=2)).matches) == 2


def test_pictures_that_come_and_go_are_noticed(engine: Engine, library: Path, model: str) -> None:
    request = Request(Task.SEARCH, model, "red")
    assert find(engine, request).searched == 3
    (library / "red.png").unlink()
    (library / "broken.png").write_bytes(b"no picture")
    (library / "yellow.png").write_bytes(picture("yellow"))
    names = {match.name for match in find(engine, request).matches}
    assert names == {"green.png", "blue.png", "yellow.png"}


def test_after_a_restart_no_picture_is_looked_at_again(
    settings: Settings,
    store: Store,
    library: Path,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = Request(Task.SEARCH, model, "red")
    first = find(build(settings, store, library), request)
    monkeypatch.delattr(search, "decode")
    assert find(build(settings, store, library), request) == first


def test_a_damaged_index_is_made_anew(
    settings: Settings, store: Store, library: Path, model: str
) -> None:
    request = Request(Task.SEARCH, model, "red")
    first = find(build(settings, store, library), request)
    [index] = (settings.data_dir / "library").iterdir()
    index.write_bytes(b"nothing")
    assert find(build(settings, store, library), request) == first


def test_a_large_library_is_taken_in_over_several_searches(
    engine: Engine, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PATIENCE_S", 0)
    request = Request(Task.SEARCH, model, "red")
    seen = [find(engine, request) for _ in range(3)]
    assert [(found.searched, found.left) for found in seen] == [(1, 2), (2, 1), (3, 0)]


def test_a_model_that_draws_does_not_search(
    engine: Engine, settings: Settings, tiny_model: str
) -> None:
    [failure] = engine.run([Request(Task.SEARCH, tiny_model, "red")])
    assert isinstance(failure, Failure)
    assert failure.title == "The model can't do this"


def test_searches_cross_the_queue_as_json(model: str) -> None:
    request = Request(Task.SEARCH, model, "red", among=(Candidate("mine", "uploads-1"),))
    assert Request.from_json(request.to_json()) == request
    result = Result((), found=Found((Match("library", "a.png", 0.5),), 1, 0))
    assert Result.from_json(result.to_json()) == result
