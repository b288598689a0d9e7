"""Watching real processes: until something is so, whether one still lives."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


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


def interrupted_at_import(
    command: list[str], module: str, environment: Mapping[str, str]
) -> tuple[list[str], int]:
    """What `python -m command` says, and how it ends, when Ctrl-C comes as `module` is imported."""
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", *command],
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert any(line.split()[-1] == module for line in process.stderr)
        process.send_signal(signal.SIGINT)
        said = [line for line in process.stderr if not line.startswith("import time:")]
        return said, process.wait(60)
