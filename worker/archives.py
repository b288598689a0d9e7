"""Pictures in a ZIP that is stored as it came: read one by one, never unpacked. Free of torch.

A picture in one is called `<id of the ZIP>/<number>`: names from outside lead nowhere.
"""

import re
from functools import lru_cache
from pathlib import PurePosixPath
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from worker.pictures import MAX_BYTES, BadPicture, TooLarge
from worker.store import Store

_ENTRY = re.compile(r"(?P<archive>uploads-[0-9a-f]{32}\.zip)/(?P<number>\d{1,6})")
_MAX_ENTRIES = 20_000  # more than a batch has items, less than would take long to list
_KEPT_OPEN = 4
_ENCRYPTED = 0x1


class BadArchive(ValueError):
    """It is no ZIP, or one that can't be used."""


def list_entries(file: BinaryIO) -> dict[str, int]:
    """Names of the files in a ZIP and the numbers to call them by.

    Raises:
        BadArchive: it is none, or it has too many files.
    """
    try:
        with ZipFile(file) as archive:
            entries = archive.infolist()
    except (BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise BadArchive(f"it cannot be read as a ZIP: {error}") from None
    if len(entries) > _MAX_ENTRIES:
        raise BadArchive(f"it has {len(entries):,} files, wanted at most {_MAX_ENTRIES:,}")
    return {_plain(one.filename): n for n, one in enumerate(entries) if not one.is_dir()}


def entry_id(archive_id: str, number: int) -> str:
    """What a picture in a stored ZIP is called in a request."""
    return f"{archive_id}/{number}"


class Archives:
    """Reads what is stored, be it a file of its own or one in a ZIP; for one thread."""

    def __init__(self, store: Store, *, max_bytes: int = MAX_BYTES) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._opened = lru_cache(_KEPT_OPEN)(self._open)

    def get(self, file_id: str) -> bytes:
        """The bytes under `file_id`.

        Raises:
            NotStored: there are none, or their time is over.
            BadPicture: it is in a ZIP, and can't be got out or is too large.
        """
        if not (found := _ENTRY.fullmatch(file_id)):
            return self._store.get(file_id)
        self._store.entry(found["archive"])
        archive = self._opened(found["archive"])
        entries = archive.infolist()
        if (number := int(found["number"])) >= len(entries):
            raise BadPicture("the ZIP has no such file")
        return self._read(archive, entries[number])

    def _open(self, archive_id: str) -> ZipFile:
        try:
            return ZipFile(self._store.open(archive_id))
        except BadZipFile as error:
            raise BadPicture(f"the ZIP cannot be read: {error}") from None

    def _read(self, archive: ZipFile, entry: ZipInfo) -> bytes:
        """What an entry claims of its size may be a lie, so what comes out is counted."""
        if entry.flag_bits & _ENCRYPTED:
            raise BadPicture("the file in the ZIP is encrypted")
        try:
            with archive.open(entry) as file:
                data = file.read(self._max_bytes + 1)
        except (BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
            raise BadPicture(f"the file in the ZIP cannot be got out: {error}") from None
        if len(data) > self._max_bytes:
            raise TooLarge(f"the file in the ZIP is over {self._max_bytes:,} bytes")
        return data


def _plain(name: str) -> str:
    """A name as a manifest may write it: forward slashes, nothing before or between."""
    return str(PurePosixPath(name.replace("\\", "/"))).lstrip("/")
