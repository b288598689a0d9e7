"""A limit is called over when its own time is up, and not before or after it was left."""

from threading import Event
from time import sleep

import pytest

from worker.limits import TimeLimit, Watchdog


@pytest.fixture
def watchdog() -> Watchdog:
    return Watchdog()


def test_what_takes_too_long_is_told_of(watchdog: Watchdog) -> None:
    over = Event()
    with TimeLimit(watchdog, 0.01, over.set):
        assert over.wait(60)


def test_what_ends_in_time_is_not(watchdog: Watchdog) -> None:
    over, later = Event(), Event()
    with TimeLimit(watchdog, 0.2, over.set):
        pass
    with TimeLimit(watchdog, 0.3, later.set):
        assert later.wait(60)
    assert not over.is_set()


def test_a_shorter_limit_inside_a_longer_one_is_over_first(watchdog: Watchdog) -> None:
    outer, inner = Event(), Event()
    with TimeLimit(watchdog, 600, outer.set), TimeLimit(watchdog, 0.01, inner.set):
        assert inner.wait(60)
    assert not outer.is_set()


def test_a_limit_that_is_held_up_has_its_time_left_when_it_goes_on(watchdog: Watchdog) -> None:
    over, meanwhile = Event(), Event()
    with TimeLimit(watchdog, 0.3, over.set) as limit:
        limit.hold()
        with TimeLimit(watchdog, 0.6, meanwhile.set):
            assert meanwhile.wait(60)
        assert not over.is_set()
        limit.go_on()
        assert over.wait(60)


def test_a_limit_whose_time_was_used_up_piece_by_piece_is_over(watchdog: Watchdog) -> None:
    over = Event()
    with TimeLimit(watchdog, 0.2, over.set) as limit:
        for _ in range(3):
            sleep(0.05)
            limit.hold()
            limit.go_on()
        assert over.wait(60)
