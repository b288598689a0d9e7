"""What is begun is done beside, by whoever waits for it, or, dropped, not at all."""

from collections.abc import Callable
from threading import Event, get_ident

import pytest

from worker.writer import Steps, Writer


def nothing(*_: object) -> None: ...


@pytest.fixture
def writer() -> Writer:
    return Writer(beside=True)


def held_up(writer: Writer, until: Event) -> None:
    """Give the thread something to do that ends when `until` is set."""
    begun = Event()

    def step() -> bool:
        begun.set()
        return until.wait(60)

    writer.begin(Steps([step], nothing))
    assert begun.wait(60)


def test_steps_are_done_while_whoever_began_them_does_something_else(writer: Writer) -> None:
    done = Event()
    writer.begin(Steps([done.set], nothing))
    assert done.wait(60)


def test_without_a_thread_steps_are_done_when_somebody_waits_for_them() -> None:
    done: list[int] = []
    begun = Writer(beside=False).begin(Steps([get_ident], lambda made, _: done.extend(made)))
    assert done == []
    begun.wait(nothing)
    assert done == [get_ident()]


def test_whoever_waits_does_what_the_thread_has_not_come_to(writer: Writer) -> None:
    last_is_done = Event()
    made: list[list[bool]] = []

    def last() -> bool:
        last_is_done.set()
        return False

    steps: list[Callable[[], bool]] = [lambda: last_is_done.wait(60), last]
    writer.begin(Steps(steps, lambda all_, _: made.append(all_))).wait(nothing)
    assert made == [[True, False]]


def test_something_else_is_done_while_somebody_waits(writer: Writer) -> None:
    go = Event()
    begun = writer.begin(Steps([lambda: go.wait(60)], nothing))
    begun.wait(go.set)


def test_while_it_is_held_the_thread_begins_nothing(writer: Writer) -> None:
    done, after = Event(), Event()
    with writer.held():
        writer.begin(Steps([done.set], nothing))
        assert not done.wait(0.05)
    assert done.wait(60)
    writer.begin(Steps([after.set], nothing))
    assert after.wait(60)


def test_what_is_dropped_before_it_is_begun_is_not_done(writer: Writer) -> None:
    go, done = Event(), Event()
    held_up(writer, go)
    begun = writer.begin(Steps([done.set], nothing))
    begun.drop()
    go.set()
    writer.begin(Steps([lambda: None], nothing)).wait(nothing)
    assert not done.is_set()


@pytest.mark.parametrize("beside", [True, False])
def test_an_error_reaches_whoever_waits(beside: bool) -> None:
    def failing(*_: object) -> None:
        raise ConnectionError("away")

    begun = Writer(beside=beside).begin(Steps([lambda: 1], failing))
    with pytest.raises(ConnectionError, match="away"):
        begun.wait(nothing)
