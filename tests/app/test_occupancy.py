"""One `up` for a data directory, one listener for a port."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app import occupancy
from app.occupancy import DataDirTaken, PortTaken, claim_port, hold


def test_a_held_directory_can_not_be_held_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occupancy, "_PATIENCE_S", 0.2)
    with (
        hold(tmp_path, "process 1, http://here"),
        pytest.raises(DataDirTaken, match="process 1, http://here"),
        hold(tmp_path, "second"),
    ):
        pass


def test_a_directory_that_was_let_go_can_be_held_again(tmp_path: Path) -> None:
    for note in ("a long note that is written first", "short"):
        with hold(tmp_path, note):
            assert (tmp_path / "lock").read_text() == note


def test_two_directories_can_be_held_at_once(tmp_path: Path) -> None:
    with hold(tmp_path / "a", ""), hold(tmp_path / "b", ""):
        pass


def test_a_child_that_inherits_the_lock_goes_on_holding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(occupancy, "_PATIENCE_S", 0.2)
    with hold(tmp_path, "first") as descriptor:
        sleeper = [sys.executable, "-c", "import time; time.sleep(3600)"]
        processes.append(subprocess.Popen(sleeper, pass_fds=(descriptor,)))
    with pytest.raises(DataDirTaken), hold(tmp_path, "second"):
        pass


def test_a_free_port_is_claimed_as_it_is(free_port: int) -> None:
    assert claim_port("127.0.0.1", free_port) == free_port


def test_port_zero_becomes_one_that_is_free() -> None:
    assert claim_port("127.0.0.1", 0) > 0


def test_a_port_in_use_is_refused_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} .* in use .* --port"):
            claim_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortTaken, match=r"192\.0\.2\.1"):
        claim_port("192.0.2.1", 8000)


def test_the_lock_is_for_its_owner_alone(tmp_path: Path) -> None:
    with hold(tmp_path, ""):
        assert (tmp_path / "lock").stat().st_mode & 0o077 == 0
