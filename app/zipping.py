"""A ZIP that is sent while it is written: nothing of it is kept, whatever its size."""

import json
from collections.abc import Iterator, Mapping
from io import RawIOBase
from time import gmtime
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo


class ZipStream:
    """Files in, bytes of a ZIP out, piece by piece."""

    def __init__(self) -> None:
        self._written = _Written()
        self._zip = ZipFile(self._written, "w", ZIP_STORED)
        self._manifest: list[str] = []

    def add(self, name: str, data: bytes) -> bytes:
        """The next bytes of the ZIP, in which is a file that is compressed already."""
        self._zip.writestr(ZipInfo(name, gmtime()[:6]), data)
        return self._written.take()

    def note(self, line: Mapping[str, Any]) -> None:
        """A line of the manifest, which comes last."""
        self._manifest.append(json.dumps(line, ensure_ascii=False))

    def end(self) -> Iterator[bytes]:
        """The last bytes, with the manifest."""
        manifest = "".join(f"{line}\n" for line in self._manifest)
        entry = ZipInfo("manifest.jsonl", gmtime()[:6])
        self._zip.writestr(entry, manifest, ZIP_DEFLATED)
        yield self._written.take()
        self._zip.close()
        yield self._written.take()


class _Written(RawIOBase):
    """What was written since somebody last took it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken
