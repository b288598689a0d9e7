"""The folder that a batch's results go into: which batch it waits for, and what is in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from wordbrush import BadAnswer

_NOTE = ".wordbrush-batch.json"
_MANIFEST = "manifest.jsonl"
_PICTURE = re.compile(r"\d{5,6}-\d{1,3}\.(png|jpg|webp)")


@dataclass(frozen=True)
class Awaited:
    """A batch whose results are still to come."""

    server: str  # its address
    batch: str  # id there
    request: str  # a fingerprint of what was asked


class BatchFolder:
    """Holds the results of one batch at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def manifest(self) -> Path:
        """What came of each line."""
        return self._path / _MANIFEST

    def prepare(self) -> None:
        """Make it, where it is not there, and see that files can be written.

        Raises:
            OSError: they can't.
        """
        self._path.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=self._path).close()

    def awaited(self) -> Awaited | None:
        """The batch that it waits for."""
        try:
            return Awaited(**json.loads((self._path / _NOTE).read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):  # the latter: not written by us, or half
            return None

    def wait_for(self, awaited: Awaited) -> None:
        """Remember the batch, until its results are here."""
        (self._path / _NOTE).write_text(json.dumps(asdict(awaited)) + "\n", encoding="utf-8")

    def fill(self, results: BinaryIO) -> None:
        """Put a batch's ZIP here, in the place of the pictures of an earlier one.

        Only names as a server of ours writes them, whoever it is that answered.

        Raises:
            BadAnswer: it is no ZIP, or is damaged.
        """
        try:
            with ZipFile(results) as archive:
                self._take(archive)
        except (BadZipFile, KeyError) as error:
            raise BadAnswer(
                f"the results are not whole, wanted a ZIP with a manifest: {error}"
            ) from None
        (self._path / _NOTE).unlink(missing_ok=True)

    def _take(self, archive: ZipFile) -> None:
        manifest = archive.read(_MANIFEST)
        pictures = {name for name in archive.namelist() if _PICTURE.fullmatch(name)}
        for name in pictures:
            (self._path / name).write_bytes(archive.read(name))
        for name in set(self._listed()) - pictures:
            (self._path / name).unlink(missing_ok=True)
        self.manifest.write_bytes(manifest)

    def _listed(self) -> Iterator[str]:
        """The pictures that the manifest here names; other files are none of ours."""
        try:
            lines = self.manifest.read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, UnicodeDecodeError):
            return
        for line in lines:
            try:
                files = list(json.loads(line)["files"])
            except (ValueError, LookupError, TypeError):
                continue
            yield from (
                name for name in files if isinstance(name, str) and _PICTURE.fullmatch(name)
            )
