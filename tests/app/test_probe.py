"""Whether the store takes files, also where it says nothing."""

from threading import Event

import pytest

from app.probe import StoreProbe
from tests.processes import until
from worker.store import StoreDown


def test_a_silent_store_takes_nothing_is_asked_once_and_counts_again_when_it_answers() -> None:
    asked: list[int] = []
    answers = Event()

    def check() -> None:
        asked.append(1)
        answers.wait()

    probe = StoreProbe(check, patience_s=0.05)
    assert not probe.takes_files()
    assert not probe.takes_files()
    assert len(asked) == 1
    answers.set()
    until(probe.takes_files)


def test_a_store_that_refuses_takes_nothing() -> None:
    def check() -> None:
        raise StoreDown("it is full")

    assert not StoreProbe(check).takes_files()


def test_an_error_that_nobody_expects_is_not_taken_for_an_outage() -> None:
    def check() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        StoreProbe(check).takes_files()
