"""Watching real processes: until something is so, whether one still lives."""

import time
from collections.abc import Callable
from pathlib import Path


def until(is_so: Callable[[], object], timeout_s: float = 90) -> None:
    """Return as soon as `is_so` says yes; fail the test after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter: gone between opening and reading
        return False
