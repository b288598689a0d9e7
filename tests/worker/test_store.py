"""The store keeps pictures under ids nobody can guess, for a time."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from worker.store import NotStored, Store, StoreDown

DAY_S = 24 * 3600


def age(data_dir: Path, seconds: float) -> None:
    """Make every stored file look as if it had been written `seconds` ago."""
    then = time.time() - seconds
    for path in (data_dir / "store").rglob("*"):
        os.utime(path, (then, then))


def test_what_is_put_comes_back(store: Store) -> None:
    file_id = store.put(b"picture", kind="uploads", suffix=".png")
    assert store.get(file_id) == b"picture"


def test_an_entry_tells_size_and_end(store: Store) -> None:
    entry = store.entry(store.put(b"picture", kind="results"))
    assert entry.size == 7
    remaining = entry.expires_at - datetime.now(UTC)
    assert timedelta(seconds=DAY_S - 60) < remaining <= timedelta(seconds=DAY_S)


def test_no_two_ids_are_the_same(store: Store) -> None:
    assert store.put(b"a", kind="uploads") != store.put(b"a", kind="uploads")


@pytest.mark.parametrize(
    "file_id",
    [
        "",
        "uploads",
        "../../etc/passwd",
        "uploads-../../../etc/passwd",
        "uploads-" + "a" * 31,
        "uploads-" + "a" * 32 + "/../x",
        "uploads-" + "a" * 32 + ".png\n",
        "secrets-" + "a" * 32,
        "uploads-" + "a" * 32,
    ],
)
def test_an_id_not_made_here_is_not_stored(store: Store, file_id: str) -> None:
    with pytest.raises(NotStored):
        store.get(file_id)


@pytest.mark.parametrize("suffix", ["png", "./x", ".png/..", ".toolong", "."])
def test_a_suffix_with_a_path_in_it_is_refused(store: Store, suffix: str) -> None:
    with pytest.raises(ValueError, match="suffix"):
        store.put(b"x", kind="uploads", suffix=suffix)


def test_a_file_past_its_time_is_gone_before_any_sweep(store: Store, data_dir: Path) -> None:
    file_id = store.put(b"old", kind="uploads")
    age(data_dir, DAY_S + 1)
    with pytest.raises(NotStored):
        store.get(file_id)


def test_a_sweep_deletes_the_expired_and_nothing_else(store: Store, data_dir: Path) -> None:
    old = [store.put(b"old", kind="uploads"), store.put(b"old", kind="results")]
    (data_dir / "store" / "results" / ".unfinished").write_bytes(b"half")
    age(data_dir, DAY_S + 1)
    fresh = store.put(b"new", kind="results", suffix=".jpg")
    assert store.sweep() == len(old) + 1
    assert store.get(fresh) == b"new"
    assert len([p for p in (data_dir / "store").rglob("*") if p.is_file()]) == 1


def test_a_reader_never_sees_half_a_file(store: Store, data_dir: Path) -> None:
    big = os.urandom(8 * 2**20)
    seen: set[int] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for path in (data_dir / "store" / "uploads").glob("[0-9a-f]*"):
                seen.add(path.stat().st_size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(5):
        store.put(big, kind="uploads")
    done.set()
    watcher.join()
    assert seen == {len(big)}


def test_two_stores_on_one_address_share_their_files(data_dir: Path) -> None:
    url = f"file://{data_dir}/shared folder"
    here, there = (Store(url, upload_ttl_s=60, result_ttl_s=60) for _ in range(2))
    assert there.get(here.put(b"x", kind="uploads")) == b"x"


def test_a_place_that_can_not_be_is_told_as_such() -> None:
    for url in ("ftp://nowhere.invalid/x", "nokind://x"):
        with pytest.raises(StoreDown):
            Store(url, upload_ttl_s=9, result_ttl_s=9)
