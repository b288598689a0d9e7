"""Drawings are written by another process, or here where that can't be; never left out."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from models.registry import Task
from tests.processes import until
from tests.worker.test_results import answer
from worker import results
from worker.messages import Request, Result
from worker.scribe import Scribe
from worker.settings import Settings
from worker.store import Store, StoreDown

REQUEST = Request(Task.GENERATE, "any", "a red flower", variations=2)


@pytest.fixture
def scribe(settings: Settings, store: Store) -> Iterator[Scribe]:
    scribe = Scribe(settings, store)
    yield scribe
    scribe.close()


@pytest.fixture
def not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written in this process."""

    def refuse(*_: object) -> Any:
        raise AssertionError("it was written here")

    monkeypatch.setattr(results, "write_all", refuse)


def written(scribe: Scribe, request: Request = REQUEST) -> Result:
    """The one drawing."""
    [made] = scribe.write([(request, answer(2))])
    if isinstance(made, Exception):
        raise made
    return made


def process_of(scribe: Scribe) -> int:
    process = scribe._process
    assert process is not None
    return process.pid


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_writes_what_would_be_written_here(scribe: Scribe, store: Store) -> None:
    here, there = results.write_all(store, REQUEST, answer(2)), written(scribe)
    assert len(there.outputs) == 2
    for one, other in zip(here.outputs, there.outputs, strict=True):
        assert store.get(one.image) == store.get(other.image)
        assert store.get(one.stages[0]) == store.get(other.stages[0])
        assert store.get(one.heatmaps[0].file) == store.get(other.heatmaps[0].file)
        assert (one.words, one.scores, one.seed) == (other.words, other.scores, other.seed)


@pytest.mark.usefixtures("not_here")
def test_it_is_another_process_that_has_no_torch(scribe: Scribe) -> None:
    written(scribe)
    assert "libtorch" not in Path(f"/proc/{process_of(scribe)}/maps").read_text()


def test_a_drawing_that_cannot_be_written_fails_alone(scribe: Scribe, store: Store) -> None:
    unknown = replace(REQUEST, format="gif")
    first, second, third = scribe.write([(r, answer(2)) for r in (REQUEST, unknown, REQUEST)])
    assert isinstance(second, ValueError)
    for made in (first, third):
        assert isinstance(made, Result)
        assert store.get(made.outputs[1].image)


@pytest.mark.usefixtures("not_here")
def test_an_error_in_it_is_raised_here_and_the_next_is_written(
    scribe: Scribe, settings: Settings
) -> None:
    written(scribe)
    folder = settings.data_dir / "store" / "results"
    away = folder.rename(folder.parent / "away")
    folder.touch()
    with pytest.raises(StoreDown, match="takes"):
        written(scribe)
    folder.unlink()
    away.rename(folder)
    written(scribe)


def test_what_it_died_over_is_written_here_and_the_next_begins_another(
    scribe: Scribe, store: Store
) -> None:
    written(scribe)
    first = process_of(scribe)
    os.kill(first, signal.SIGKILL)
    until(lambda: scribe._process is not None and scribe._process.poll() is not None)
    assert store.get(written(scribe).outputs[1].image)
    written(scribe)
    assert process_of(scribe) != first


def test_while_it_writes_something_others_write_here(
    scribe: Scribe, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(scribe)
    os.kill(process_of(scribe), signal.SIGSTOP)
    made: list[object] = []
    waiting = Thread(target=lambda: made.append(written(scribe)))
    waiting.start()
    until(scribe._busy.locked)
    assert store.get(written(scribe).outputs[0].image)
    assert made == []
    os.kill(process_of(scribe), signal.SIGCONT)
    waiting.join(60)
    assert len(made) == 1


def test_an_answer_that_comes_too_late_is_taken_for_no_other(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(BaseException):
        """As a time limit's, which may be raised anywhere."""

    written(scribe)
    connection: Any = scribe._connection

    class Interrupted:
        def send(self, sent: object) -> None:
            connection.send(sent)

        def recv(self) -> None:
            raise Late

        def close(self) -> None:
            connection.close()

    monkeypatch.setattr(scribe, "_connection", Interrupted())
    with pytest.raises(Late):
        written(scribe)
    other = replace(REQUEST, seed=7)
    assert [file.seed for file in written(scribe, other).outputs] == [7, 8]


def test_it_ends_when_it_is_closed_and_not_by_a_signal_to_stop(scribe: Scribe) -> None:
    written(scribe)
    pid = process_of(scribe)
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGINT)
    written(scribe)
    assert process_of(scribe) == pid
    scribe.close()
    assert not is_alive(pid)
