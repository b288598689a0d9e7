"""The pictures of a folder that the lines of a batch name, into a ZIP to be sent with them.

The lines may be somebody else's: what they name outside the folder is never opened.
"""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from app.spreadsheets import delimiter_of, header_of, rows_of

_NAMING = ("image", "image_to")  # fields of a line that name a picture of the folder
_NOWHERE = ".."  # the name of no file in a ZIP
_MAX_TOLD = 20  # columns in a message

Rename = Callable[[str], str]


class NoPictures(ValueError):
    """No line names a picture, so all would be drawn from words alone."""


@dataclass(frozen=True)
class Packed:
    """Lines that are ready to be sent."""

    lines: bytes  # with the names that the pictures have in the ZIP
    left_out: dict[str, str]  # why, by names that came before


def pack(lines: bytes, folder: Path, into: BinaryIO) -> Packed:
    """Write a ZIP of the pictures of `folder` that `lines` (JSONL or CSV) name.

    One that can't be read, or is outside, fails its line alone. What is wrong with the lines, the
    server says.

    Raises:
        NoPictures: no line names one.
    """
    with ZipFile(into, "w", ZIP_STORED) as archive:
        photos = _Photos(folder, archive)
        try:
            text = lines.decode("utf-8-sig")
            is_json = text.lstrip().startswith("{")
            renamed = (_rename_json if is_json else _rename_csv)(text, photos.add)
        except (UnicodeDecodeError, csv.Error):
            renamed = None
    into.seek(0)
    return Packed(lines if renamed is None else renamed.encode(), photos.left_out)


class _Photos:
    """Puts each picture into the ZIP once, however often and however lines write its name."""

    def __init__(self, folder: Path, archive: ZipFile) -> None:
        self._folder = folder.resolve()
        self._archive = archive
        self._names: dict[str, str] = {}  # by what lines call them
        self._packed: set[str] = set()
        self.left_out: dict[str, str] = {}

    def add(self, written: str) -> str:
        """The picture's name in the ZIP; one that leads nowhere where it can't be sent."""
        if written not in self._names:
            self._names[written] = self._put(written)
        return self._names[written]

    def _put(self, written: str) -> str:
        try:
            path = self._find(written)
            name = path.relative_to(self._folder).as_posix()
            name.encode()  # as the ZIP does
            data = path.read_bytes()
        except FileNotFoundError:
            self.left_out[written] = "there is no such file"
            return written  # which the server may find in a deeper folder
        except _Outside:
            self.left_out[written] = f"it is outside {self._folder}"
            return _NOWHERE
        except OSError as error:
            self.left_out[written] = f"it cannot be read: {error.strerror}"
            return _NOWHERE
        except (ValueError, RuntimeError):  # characters that no name has; links that go round
            self.left_out[written] = "it is no name of a file"
            return _NOWHERE
        if name not in self._packed:
            self._packed.add(name)
            self._archive.writestr(ZipInfo(name), data)  # with no date: ZIP has none before 1980
        return name

    def _find(self, written: str) -> Path:
        """The file.

        Raises:
            _Outside: it is not in the folder; it was not looked at.
            OSError, ValueError, RuntimeError: there is none, or no telling.
        """
        for spelled in dict.fromkeys((written, written.replace("\\", "/"))):
            path = (self._folder / spelled).resolve()
            if not path.is_relative_to(self._folder):
                raise _Outside
            if path.is_file():
                return path
        raise FileNotFoundError(written)


class _Outside(ValueError):
    """It is not in the folder."""


def _rename_json(text: str, rename: Rename) -> str | None:
    """The lines with other names for their pictures; None where all have the right ones.

    Raises:
        NoPictures: no line names one.
    """
    lines, fields, named, is_changed = text.split("\n"), dict[str, None](), False, False
    for number, line in enumerate(lines):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(row, dict):
            continue
        fields |= dict.fromkeys(row)
        names = {field: row[field] for field in _NAMING if _is_name(row.get(field))}
        renamed = {field: rename(name) for field, name in names.items()}
        named |= bool(names)
        if renamed != names:
            lines[number], is_changed = json.dumps(row | renamed), True
    if fields and not named:
        raise _no_pictures(list(fields))
    return "\n".join(lines) if is_changed else None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _rename_csv(text: str, rename: Rename) -> str | None:
    """The same of CSV, whose header is taken without spaces around and capitals."""
    delimiter = delimiter_of(text, "caption")
    table = list(rows_of(text, delimiter, strict=True))
    if not table:
        return None
    header = header_of(iter(table))
    before = [list(row) for row in table]
    columns = [number for number, name in enumerate(header) if name in _NAMING]
    named = False
    for row in table[1:]:
        for number in columns:
            if number < len(row) and (name := row[number].strip()):
                row[number], named = rename(name), True
    if "caption" in header and len(table) > 1 and not named:
        raise _no_pictures(header)
    table[:1] = [header]
    if table == before:
        return None
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows(table)
    return file.getvalue()


def _no_pictures(fields: list[str]) -> NoPictures:
    there = ", ".join(f"{name[:40]!r}" for name in fields[:_MAX_TOLD])
    return NoPictures(
        f"no line names a picture of the folder, wanted its name in the column 'image'; "
        f"the columns are {there}. To draw from words alone, leave the folder away"
    )
