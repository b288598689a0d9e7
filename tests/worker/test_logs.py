import io
import json
import logging
import os
import pty
from collections.abc import Iterator

import pytest
import structlog

from worker import logs


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    yield
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_is_json_with_its_process_and_what_is_bound_from_libraries_too() -> None:
    stream = io.StringIO()
    logs.configure("worker", stream=stream)
    with structlog.contextvars.bound_contextvars(job_id="j1", request_id="r1"):
        structlog.get_logger("ours").info("job", predict_s=0.25)
        logging.getLogger("theirs").warning("%d of %s", 3, "many")
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    assert ours["event"] == "job"
    assert ours["predict_s"] == 0.25
    assert theirs["event"] == "3 of many"
    for line in (ours, theirs):
        assert (line["job_id"], line["request_id"], line["process"]) == ("j1", "r1", "worker")
        assert line["timestamp"].endswith("Z")


def test_an_exception_is_one_line_as_well() -> None:
    stream = io.StringIO()
    logs.configure("web", stream=stream)
    try:
        raise LookupError("gone")
    except LookupError:
        logging.getLogger("theirs").exception("it failed")
    [line] = map(json.loads, stream.getvalue().splitlines())
    assert line["level"] == "error"
    assert "LookupError: gone" in line["exception"]


def test_on_a_terminal_lines_are_for_people() -> None:
    ours, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as stream:
        logs.configure("web", stream=stream)
        structlog.get_logger("ours").info("request", status=200)
        said = os.read(ours, 1000).decode()
    os.close(ours)
    assert "request" in said
    assert not said.startswith("{")


@pytest.mark.parametrize(("format", "is_json"), [("json", True), ("text", False)])
def test_the_setting_decides_where_it_is_set(format: logs.Format, is_json: bool) -> None:
    stream = io.StringIO()
    logs.configure("web", format, stream)
    structlog.get_logger("ours").info("request")
    assert stream.getvalue().startswith("{") is is_json
