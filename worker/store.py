"""Pictures between processes: uploads and results under ids made here, each with a time to live.

Any address that fsspec knows: a local folder, or s3://bucket/prefix for workers on many machines.
Free of torch: the web process reads and writes it too.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from shutil import copyfileobj
from typing import Any, BinaryIO, Literal, Self
from uuid import uuid4

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from worker.settings import Settings

Kind = Literal["uploads", "results"]

_ID = re.compile(r"(?P<kind>uploads|results)-(?P<name>[0-9a-f]{32}(?:\.[a-z0-9]{1,5})?)")
_COPIED_BYTES = 2**20  # at a time
_SUFFIX = re.compile(r"(?:\.[a-z0-9]{1,5})?")
_S3_CONNECTS_WITHIN_S = 3.0
_S3_ANSWERS_WITHIN_S = 10.0  # five tries end before a job's time does, by default

_log = logging.getLogger(__name__)


class NotStored(LookupError):
    """The store has nothing under this id: it never had, or its time is over."""


class StoreDown(ConnectionError):
    """The store can't be reached, or takes nothing."""


@dataclass(frozen=True)
class Entry:
    """What the store knows of one file."""

    size: int  # bytes
    expires_at: datetime


@contextmanager
def _outages_named() -> Iterator[None]:
    """Errors of the storage as ours: each kind has its own."""
    try:
        yield
    except NotStored:
        raise
    except Exception as error:
        raise StoreDown(f"the store takes or gives no files: {error}") from error


class Store:
    """Files of two kinds in one place."""

    def __init__(self, url: str, *, upload_ttl_s: int, result_ttl_s: int) -> None:
        """
        Raises:
            StoreDown: there can be no place for them at `url` now.
        """
        # Without a cache of listings: what another process has just written is there.
        with _outages_named():  # some kinds of storage are spoken to at once
            self._files, self._root = url_to_fs(url, use_listings_cache=False, **_options(url))
        # In a folder a file is there in the instant that it is begun, so it is written under
        # another name first; an object appears when it is whole.
        self._writes_in_place = not isinstance(self._files, LocalFileSystem)
        self._ttl = {
            "uploads": timedelta(seconds=upload_ttl_s),
            "results": timedelta(seconds=result_ttl_s),
        }
        for kind in self._ttl:
            with _outages_named():
                self._files.makedirs(f"{self._root}/{kind}", exist_ok=True)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            settings.store_url,
            upload_ttl_s=settings.upload_ttl_s,
            result_ttl_s=settings.result_ttl_s,
        )

    def put(self, data: bytes, *, kind: Kind, suffix: str = "") -> str:
        """Keep `data` and return its id, which nobody can guess; `suffix` is such as ".png".

        Raises:
            StoreDown: it can't be kept.
        """
        if not _SUFFIX.fullmatch(suffix):
            raise ValueError(f"a suffix is a dot and up to five letters or digits, not {suffix!r}")
        token = uuid4().hex
        folder = f"{self._root}/{kind}"
        path = f"{folder}/{token}{suffix}"
        written = path if self._writes_in_place else f"{folder}/.{token}"
        with _outages_named():
            self._files.pipe_file(written, data)
            if written != path:
                self._files.mv(written, path)
        return f"{kind}-{token}{suffix}"

    def check(self) -> None:
        """Nothing, if the store takes files.

        Raises:
            StoreDown: it takes none.
        """
        probe = f"{self._root}/.ready-{uuid4().hex}"
        with _outages_named():
            self._files.pipe_file(probe, b"")
            self._files.rm_file(probe)

    def get(self, file_id: str) -> bytes:
        """The bytes kept under `file_id`.

        Raises:
            NotStored: there are none, or their time is over.
            StoreDown: nobody can know.
        """
        self.entry(file_id)
        with _outages_named():
            try:
                data: bytes = self._files.cat_file(self._path(file_id))
            except FileNotFoundError:
                raise NotStored(f"{file_id} is gone") from None
        return data

    def put_file(self, file: BinaryIO, *, suffix: str) -> str:
        """Keep what is in `file`, as an upload; for what is too large for memory.

        Raises:
            StoreDown: it can't be kept.
        """
        token, folder = uuid4().hex, f"{self._root}/uploads"
        path = f"{folder}/{token}{suffix}"
        written = path if self._writes_in_place else f"{folder}/.{token}"
        with _outages_named():
            with self._files.open(written, "wb") as kept:
                copyfileobj(file, kept, _COPIED_BYTES)
            if written != path:
                self._files.mv(written, path)
        return f"uploads-{token}{suffix}"

    def open(self, file_id: str) -> BinaryIO:
        """The file under `file_id`, to be read anywhere in it.

        Raises:
            NotStored: there is none.
            StoreDown: nobody can know.
        """
        with _outages_named():
            try:
                file: BinaryIO = self._files.open(self._path(file_id), "rb")
            except FileNotFoundError:
                raise NotStored(f"{file_id} is gone, or never was") from None
        return file

    def entry(self, file_id: str) -> Entry:
        """Size and end of the file under `file_id`.

        Raises:
            NotStored: there is none, or its time is over.
            StoreDown: nobody can know.
        """
        path = self._path(file_id)
        with _outages_named():
            try:
                size, written = self._files.size(path), self._files.modified(path)
            except FileNotFoundError:
                raise NotStored(f"{file_id} is gone, or never was") from None
        expires_at = written + self._ttl[file_id.partition("-")[0]]
        if expires_at <= datetime.now(UTC):
            raise NotStored(f"{file_id} was kept until {expires_at:%Y-%m-%d %H:%M} UTC")
        return Entry(size, expires_at)

    def discard(self, file_ids: Iterable[str]) -> None:
        """Forget files before their time; one that is not there is forgotten.

        Raises:
            StoreDown: nobody can know.
        """
        for file_id in file_ids:
            with _outages_named(), suppress(FileNotFoundError):
                self._files.rm_file(self._path(file_id))

    def sweep(self) -> int:
        """Delete what is past its time, half-written files too; how many files that were. What an
        outage leaves is there for the next sweep.
        """
        deleted = 0
        try:
            with _outages_named():
                for path in list(self._expired()):
                    with suppress(FileNotFoundError):  # another process sweeps as well
                        self._files.rm_file(path)
                        deleted += 1
        except StoreDown as error:
            _log.warning("not all that is past its time was deleted: %s", error)
        return deleted

    def _expired(self) -> Iterator[str]:
        now = datetime.now(UTC)
        for kind, ttl in self._ttl.items():
            for path, listed in self._files.find(f"{self._root}/{kind}", detail=True).items():
                with suppress(FileNotFoundError):
                    if self._written(path, listed) + ttl <= now:
                        yield path

    def _written(self, path: str, listed: Mapping[str, Any]) -> datetime:
        """When the file was: lists of S3 say it, and asking would take a request for each."""
        written: datetime = listed.get("LastModified") or self._files.modified(path)
        return written

    def _path(self, file_id: str) -> str:
        """Where the file is; an id that was not made here has no place, whatever it spells."""
        if not (match := _ID.fullmatch(file_id)):
            raise NotStored("that is not an id of this store")
        return f"{self._root}/{match['kind']}/{match['name']}"


def _options(url: str) -> Mapping[str, Any]:
    """For S3, how long it may be silent; its clients' own limits come to a quarter of an hour, in
    which whoever waits keeps a thread, or a worker from its other jobs. s3fs tries five times.
    """
    if not url.startswith("s3://"):
        return {}
    timeouts = {"connect_timeout": _S3_CONNECTS_WITHIN_S, "read_timeout": _S3_ANSWERS_WITHIN_S}
    return {"config_kwargs": timeouts | {"retries": {"total_max_attempts": 1}}}
