"""`wordbrush up`: the queue server, the workers and the web server, started, watched and stopped.

Every child is in one process group that ends with this process, even if that is killed.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic

from app.access import takes_keys
from app.children import Child, Group, Say, Service
from app.occupancy import claim_port, hold
from app.queue_server import NoQueueServer, find_server, write_config
from app.settings import Settings
from worker import tracing
from worker.queue import JobQueue, QueueDown

_LOOK_S = 0.2
_QUEUE_START_S = 20.0
STOP_S = 10.0  # for web and workers, then for the queue server; a job that takes longer comes back
_EXPLAIN_AFTER_S = 30.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class GuardLost(RuntimeError):
    """The process that would clean up after us is gone."""


def up(settings: Settings, workers: int | None, say: Say) -> None:
    """Run everything until Ctrl-C or SIGTERM; `workers` None: one for each GPU, else one.

    Raises:
        NoKeys, TracingNotInstalled, DataDirTaken, PortTaken, NoQueueServer, GuardLost, QueueDown:
            it can't be; says why.
    """
    tracing.is_wanted()  # where it can't be, the children would say so, again and again
    takes_keys(settings)  # the web server would refuse to start, again and again
    port = claim_port(settings.host, settings.port)
    note = f"process {os.getpid()}, {_url(settings.host, port)}"
    with _stop_event() as stop, hold(settings.data_dir, note) as lock:
        group = Group()
        supervisor = Supervisor(group, stop, say)
        try:
            if settings.has_own_queue:
                supervisor.add([_queue_service(settings.data_dir, lock)])
            supervisor.await_queue(settings)
            supervisor.add([*_worker_services(settings, workers), _web_service(settings, port)])
            supervisor.watch(Readiness(settings.host, port, say))
        finally:
            supervisor.stop_all()
            group.release()


class Supervisor:
    """The children of one `up`, in the order of their start."""

    def __init__(self, group: Group, stop: threading.Event, say: Say) -> None:
        self._group = group
        self._stop = stop
        self._say = say
        self._children: list[Child] = []

    def add(self, services: Sequence[Service]) -> None:
        for service in services:
            child = Child(service, self._group, self._say)
            self._children.append(child)
            child.tend()

    def await_queue(self, settings: Settings) -> None:
        """Return when the queue answers, or when we are to stop.

        Raises:
            NoQueueServer: our own has ended; says what it logged.
            QueueDown: it does not answer.
        """
        deadline = monotonic() + _QUEUE_START_S
        queue = JobQueue.from_settings(settings)
        while not self._stop.wait(_LOOK_S / 4):
            try:
                return queue.ping()
            except QueueDown:
                self._check_own_server()
                if monotonic() > deadline:
                    raise

    def watch(self, readiness: "Readiness") -> None:
        """Tend the children until we are to stop.

        Raises:
            GuardLost: nobody would end the children if we were killed now.
        """
        while not self._stop.wait(_LOOK_S):
            for child in self._children:
                child.tend()
            readiness.look()
            if not self._group.is_guarded:
                raise GuardLost("the process that watches over the others was ended; stopping all")

    def stop_all(self) -> None:
        """Web and workers first, the queue server when nobody needs it any more."""
        first, rest = self._children[:1], self._children[1:]
        for children in (rest, first):
            deadline = monotonic() + STOP_S
            for child in children:
                child.ask_to_stop()
            for child in children:
                child.stop(deadline - monotonic())

    def _check_own_server(self) -> None:
        for child in self._children:
            if not child.is_running:
                log = child.service.log
                last = log.read_text(errors="replace").splitlines()[-5:] if log else []
                raise NoQueueServer("the queue server did not start:\n" + "\n".join(last))


class Readiness:
    """Says once that the service is ready, or after a while what it still waits for."""

    def __init__(self, host: str, port: int, say: Say) -> None:
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        self._port = port
        self._say = say
        self._started_at = monotonic()
        self._is_ready = False
        self._said = ""

    def look(self) -> None:
        if self._is_ready:
            return
        status, body = self._ask()
        if status == 200:
            self._is_ready = True
            self._say(f"Wordbrush is ready: {_url(self._host, self._port)}  (Ctrl-C stops it)")
        elif body != self._said and monotonic() - self._started_at > _EXPLAIN_AFTER_S:
            self._said = body
            self._say(f"not ready yet: {body}")

    def _ask(self) -> tuple[int, str]:
        """Status and reason; asked directly, whatever proxy the environment names."""
        connection = HTTPConnection(self._host, self._port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            return 0, f"the web server does not answer: {error}"
        finally:
            connection.close()


@contextmanager
def _stop_event() -> Iterator[threading.Event]:
    """An event that is set by the signals to stop; a second one ends us at once, and the guard
    ends the rest.
    """
    stop = threading.Event()

    def handle(number: int, frame: object) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    before = {number: signal.signal(number, handle) for number in _STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _queue_service(data_dir: Path, lock: int) -> Service:
    server = find_server()
    command = [str(server.path), str(write_config(server, data_dir))]
    log = data_dir / "queue" / "server.log"
    # With the lock in its hands the server keeps the directory taken for as long as it lives.
    return Service("queue server", command, os.environ, log=log, keep_open=(lock,))


def _worker_services(settings: Settings, workers: int | None) -> list[Service]:
    gpus = _gpu_count() if settings.device == "auto" else 0
    count = workers or max(1, gpus)
    environment = dict(os.environ) | settings.to_environment()
    if count > 1 and not gpus and settings.threads is None:
        environment["WORDBRUSH_THREADS"] = str(max(1, (os.cpu_count() or 1) // count))
    devices = [f"cuda:{i % gpus}" if gpus else settings.device for i in range(count)]
    return [
        Service(
            f"worker {i}",
            [sys.executable, "-m", "worker"],
            environment | {"WORDBRUSH_DEVICE": device},
        )
        for i, device in enumerate(devices, start=1)
    ]


def _web_service(settings: Settings, port: int) -> Service:
    command = [sys.executable, "-m", "app", "web", "--host", settings.host, "--port", str(port)]
    command += ["--access", settings.access]
    return Service("web server", command, dict(os.environ) | settings.to_environment())


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _gpu_count() -> int:
    """How many NVIDIA GPUs the driver lists; torch would say so too, but takes seconds to load."""
    if not (tool := shutil.which("nvidia-smi")):
        return 0
    answer = subprocess.run([tool, "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in answer.stdout.splitlines())
