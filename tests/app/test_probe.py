"""Questions to a service, also where it says nothing."""

from threading import Event

import anyio
import pytest

from app.probe import Obstacle, Probe

SILENCE = Obstacle("it says nothing")


def answer(probe: Probe[str]) -> str | Obstacle:
    return anyio.run(probe.answer)


def test_a_silent_service_is_asked_once_and_counts_again_when_it_answers() -> None:
    asked: list[int] = []
    answers = Event()

    def ask() -> str:
        asked.append(1)
        answers.wait()
        return "here"

    probe = Probe(ask, silence=SILENCE.reason, patience_s=0.05)
    assert answer(probe) == SILENCE
    assert answer(probe) == SILENCE
    assert len(asked) == 1
    answers.set()

    async def ask_until_it_says_something() -> None:
        with anyio.fail_after(60):
            while await probe.answer() == SILENCE:
                await anyio.sleep(0.01)

    anyio.run(ask_until_it_says_something)
    assert answer(probe) == "here"


def test_who_waits_for_a_silent_service_keeps_the_event_loop_from_nobody() -> None:
    answers = Event()

    def ask() -> str:
        answers.wait()
        return "here"

    probe = Probe(ask, silence=SILENCE.reason, patience_s=60)
    said: list[str | Obstacle] = []

    async def hear() -> None:
        said.append(await probe.answer())

    async def wait_and_answer() -> None:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(hear)
                group.start_soon(hear)
                await anyio.sleep(0.01)
                answers.set()

    anyio.run(wait_and_answer)
    assert said == ["here", "here"]


def test_an_obstacle_is_told_as_the_service_told_it() -> None:
    full = Obstacle("it is full")
    assert answer(Probe(lambda: full, silence=SILENCE.reason)) == full


def test_an_error_that_nobody_expects_is_not_taken_for_an_outage() -> None:
    def ask() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answer(Probe(ask, silence=SILENCE.reason))
