"""A child is started again when it ends, and waits longer each time."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.children import Child, Group, Service
from tests.processes import is_alive, until


@pytest.fixture
def group() -> Iterator[Group]:
    group = Group()
    yield group
    group.release()


def service(code: str, log: Path | None = None) -> Service:
    return Service("thing", [sys.executable, "-c", code], os.environ, log=log)


def test_a_child_that_ends_is_started_again_later_and_later(group: Group) -> None:
    said: list[str] = []
    child = Child(service("raise SystemExit(3)"), group, said.append)

    def has_restarted_twice() -> bool:
        child.tend()
        return len(said) == 3

    until(has_restarted_twice)
    assert said == [
        f"thing ended with code 3; it starts again in {delay} s" for delay in ("0.5", "1", "2")
    ]


def test_a_child_that_runs_is_left_alone(group: Group) -> None:
    said: list[str] = []
    child = Child(service("import time; time.sleep(3600)"), group, said.append)
    child.tend()
    child.tend()
    assert child.is_running
    assert said == []
    child.ask_to_stop()
    child.stop(30)
    assert not child.is_running


def test_a_child_that_will_not_stop_is_ended(group: Group, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(3600)"
    )
    child = Child(service(code), group, lambda words: None)
    child.tend()
    until(ready.exists)
    child.ask_to_stop()
    child.stop(0.2)
    assert not child.is_running


def test_output_goes_to_the_log_of_the_service(group: Group, tmp_path: Path) -> None:
    log = tmp_path / "thing.log"
    child = Child(service("print('hello')", log), group, lambda words: None)
    child.tend()
    until(lambda: log.read_text() == "hello\n")
    child.stop(30)


def test_closing_the_pipe_ends_even_a_child_that_ignores_signals(tmp_path: Path) -> None:
    group = Group()
    pid_file = tmp_path / "pid"
    code = (
        "import os, pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid())); time.sleep(3600)"
    )
    process = group.start(service(code))
    until(lambda: pid_file.exists() and pid_file.read_text())
    assert group._guard.stdin is not None
    group._guard.stdin.close()  # as the kernel does when the supervisor is killed
    assert process.wait(30) < 0
    assert not is_alive(process.pid)
    group.release()
