"""One set of settings for the web process and the worker, from the environment."""

import os
from pathlib import Path

import pytest

from worker.settings import BadSettings, Settings, queue_socket


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("WORDBRUSH_") or name == "REDIS_URL":
            monkeypatch.delenv(name)


def test_without_an_address_the_queue_is_our_own(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert settings.has_own_queue
    assert settings.redis_url == f"unix://{queue_socket(tmp_path)}"


def test_plain_redis_url_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://queue:6379/1")
    settings = Settings()
    assert settings.redis_url == "redis://queue:6379/1"
    assert not settings.has_own_queue


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("valkey+unix:///run/v.sock", "unix:///run/v.sock"),
        ("valkey://host:1", "redis://host:1"),
        ("valkeys://host:1", "rediss://host:1"),
        ("redis://host:1", "redis://host:1"),
    ],
)
def test_valkey_addresses_become_ones_that_redis_py_knows(given: str, known: str) -> None:
    assert Settings(redis_url=given).redis_url == known


def test_a_child_comes_to_the_same_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = Settings(
        data_dir=tmp_path / "a b",
        checkpoints=(tmp_path, tmp_path / "more"),
        threads=3,
        models=("a-model", "another"),
    )
    for name, value in parent.to_environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == parent


def test_the_socket_of_a_long_path_still_fits(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-long-folder-name"] * 8)
    assert len(os.fsencode(queue_socket(deep))) <= 100
    assert queue_socket(deep) != queue_socket(deep / "other")


def test_what_is_wrong_in_the_environment_is_told_by_its_name_and_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORDBRUSH_BATCH_SIZE", "0")
    monkeypatch.setenv("WORDBRUSH_RESULT_TTL_S", "hunter2")
    with pytest.raises(BadSettings) as refused:
        Settings()
    first, second = sorted(str(refused.value).splitlines())
    assert first == "WORDBRUSH_BATCH_SIZE: Input should be greater than or equal to 1"
    assert second.startswith("WORDBRUSH_RESULT_TTL_S: Input should be a valid integer")
    assert "hunter2" not in second


def test_the_address_of_the_queue_server_is_told_by_the_name_that_it_was_given_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("REDIS_URL", "WORDBRUSH_REDIS_URL"):  # the latter counts where both are set
        monkeypatch.setenv(name, "hunter2")
        with pytest.raises(BadSettings) as refused:
            Settings()
        assert str(refused.value).startswith(f"{name}: ")
        assert "hunter2" not in str(refused.value)


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDBRUSH_BATCH_SIZE", "")
    monkeypatch.setenv("REDIS_URL", "")
    assert Settings().batch_size == 32
    assert Settings().has_own_queue


@pytest.mark.parametrize("url", ["nonsense", "redis://[", "redis://h:notaport/0", "http://x"])
def test_an_address_that_no_queue_server_can_have_is_refused(url: str) -> None:
    with pytest.raises(BadSettings, match=r"REDIS_URL: .*wanted such as redis://host:6379/0"):
        Settings(redis_url=url)


@pytest.mark.parametrize("url", ["nokind://x", "http://[", "https://host/pictures", "://x"])
def test_an_address_at_which_no_pictures_can_be_kept_is_refused(url: str) -> None:
    with pytest.raises(BadSettings, match=r"^WORDBRUSH_STORE_URL: .*wanted a folder, or such as"):
        Settings(store_url=url)


@pytest.mark.parametrize(
    "url", ["a folder", "s3://bucket/prefix", "file:///a", "filecache::s3://b"]
)
def test_places_of_every_kind_that_takes_files_are_kept_as_they_are_written(url: str) -> None:
    assert Settings(store_url=url).store_url == url
