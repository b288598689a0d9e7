"""The doctor names what is broken, in words that say what to do."""

import socket
from pathlib import Path

import pytest

from app.doctor import Finding, examine
from app.settings import Settings
from tests.tiny import write_tiny_model


@pytest.fixture
def healthy(data_dir: Path, valkey_url: str, free_port: int) -> Settings:
    folder = data_dir / "checkpoints"
    write_tiny_model(folder)
    return Settings(data_dir=data_dir, redis_url=valkey_url, port=free_port, checkpoints=(folder,))


def finding(settings: Settings, subject: str) -> Finding:
    return next(f for f in examine(settings) if f.subject == subject)


def changed(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


def test_a_healthy_installation_has_nothing_broken(healthy: Settings) -> None:
    findings = list(examine(healthy))
    assert not [f for f in findings if f.verdict == "broken"]
    assert [f.subject for f in findings] == [
        "Python",
        "data directory",
        "disk",
        "store",
        "queue server",
        "checkpoints",
        "port",
        "browser for tests",
        "torch",
    ]


def test_the_checkpoints_found_are_named(healthy: Settings) -> None:
    assert finding(healthy, "checkpoints") == Finding("checkpoints", "ok", "tagan-flowers-16")


def test_no_checkpoint_is_broken_and_says_where_it_looked(
    healthy: Settings, tmp_path: Path
) -> None:
    found = finding(changed(healthy, checkpoints=(tmp_path / "none",)), "checkpoints")
    assert found.verdict == "broken"
    assert str(tmp_path / "none") in found.words


def test_a_damaged_checkpoint_beside_a_good_one_is_noted(healthy: Settings) -> None:
    (healthy.checkpoints[0] / "rubbish.safetensors").write_bytes(b"rubbish, and not ours at all")
    found = finding(healthy, "checkpoints")
    assert found.verdict == "note"
    assert "rubbish.safetensors" in found.words


def test_a_data_directory_that_can_not_be_is_broken(healthy: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = finding(changed(healthy, data_dir=tmp_path / "file" / "data"), "data directory")
    assert found.verdict == "broken"
    assert "--data-dir" in found.words


def test_a_store_that_takes_nothing_is_broken(healthy: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = finding(changed(healthy, store_url=str(tmp_path / "file" / "store")), "store")
    assert found.verdict == "broken"
    assert "WORDBRUSH_STORE_URL" in found.words


def test_a_queue_that_is_away_is_broken(healthy: Settings, tmp_path: Path) -> None:
    found = finding(changed(healthy, redis_url=f"unix://{tmp_path}/away"), "queue server")
    assert found.verdict == "broken"
    assert "REDIS_URL" in found.words


def test_without_a_named_queue_the_one_to_be_started_is_named(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("PATH", "")
    found = finding(Settings(data_dir=data_dir), "queue server")
    assert found.verdict == "ok"
    assert "valkey-server 9" in found.words


def test_a_port_in_use_is_noted(healthy: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = changed(healthy, port=server.getsockname()[1])
        assert finding(taken, "port").verdict == "note"


def test_a_missing_browser_is_noted_with_a_way_to_get_one(
    healthy: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    found = finding(healthy, "browser for tests")
    assert found.verdict == "note"
    assert "apt-get install chromium" in found.words
