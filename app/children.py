"""Child processes that are started again when they end, later and later if they keep ending."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_STEADY_S = 60.0  # a child that ran for so long is not in trouble

Say = Callable[[str], None]


@dataclass(frozen=True)
class Service:
    """A program to keep running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None  # its output; None: ours
    keep_open: tuple[int, ...] = ()  # descriptors that it inherits


class Group:
    """The process group of all children, led by app/guard.py, which outlives us to end them."""

    def __init__(self) -> None:
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "app.guard"], stdin=subprocess.PIPE, process_group=0
        )

    @property
    def is_guarded(self) -> bool:
        return self._guard.poll() is None

    def start(self, service: Service) -> subprocess.Popen[bytes]:
        """The service's process, in this group: the guard ends it if we can't."""
        with service.log.open("ab") if service.log else nullcontext() as log:
            return subprocess.Popen(
                service.command,
                env=dict(service.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=service.keep_open,
                process_group=self._guard.pid,
            )

    def release(self) -> None:
        """To be called when all children have ended: the guard has nothing left to do."""
        self._guard.kill()
        self._guard.wait()
        if self._guard.stdin:
            self._guard.stdin.close()


class Child:
    """One service and its process, from its first start to its end."""

    def __init__(self, service: Service, group: Group, say: Say) -> None:
        self.service = service
        self._group = group
        self._say = say
        self._failures = 0
        self._start_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def tend(self) -> None:
        """Start it, or again, when it is time to; to be called now and then."""
        if self.is_running:
            return
        if self._process is not None:
            self._plan_restart(self._process.returncode)
        if monotonic() >= self._start_at:
            self._process = self._group.start(self.service)
            self._started_at = monotonic()

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def stop(self, patience_s: float) -> None:
        """Wait for the process to end, and end it after `patience_s`."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, patience_s))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _plan_restart(self, exit_code: int) -> None:
        if monotonic() - self._started_at > _STEADY_S:
            self._failures = 0
        delay_s = min(_FIRST_DELAY_S * 2**self._failures, _LONGEST_DELAY_S)
        self._failures += 1
        self._start_at = monotonic() + delay_s
        self._process = None
        self._say(f"{self.service.name} {_how(exit_code)}; it starts again in {delay_s:g} s")


def _how(exit_code: int) -> str:
    return f"was ended by signal {-exit_code}" if exit_code < 0 else f"ended with code {exit_code}"
