"""The file of a batch's lines, JSONL or CSV, into rows: fields by their names, not yet understood.

What is wrong with the file as a whole is refused; what is wrong with one line stops no other.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.errors import InvalidRequest
from app.spreadsheets import delimiter_of, header_of, rows_of
from worker.batches import MAX_ITEMS
from worker.messages import Failure

UNREADABLE = "The line cannot be used"
Row = Mapping[str, Any] | Failure

_NAMES_OF_PICTURES = ("image", "image_to")
_MAX_TOLD = 20  # columns in a message, and characters of each
_MAX_TOLD_LETTERS = 40


def read_rows(data: bytes) -> list[Row]:
    """The rows of a JSONL or CSV file, told apart by their first letter.

    Raises:
        InvalidRequest: it is neither, or has no line, or too many.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest.of("items", "it is not UTF-8, wanted JSONL or CSV in UTF-8") from None
    start = text.lstrip()[:1]
    if not start:
        raise InvalidRequest.of("items", "it is empty, wanted JSONL, or CSV with a header")
    if start == "[":
        message = "it is a JSON array, wanted JSONL: an object on each line, no brackets around all"
        raise InvalidRequest.of("items", message)
    rows: list[Row] = []
    for row in _json_rows(text) if start == "{" else _csv_rows(text):
        if len(rows) == MAX_ITEMS:
            raise InvalidRequest.of("items", f"too many lines, wanted at most {MAX_ITEMS:,}")
        rows.append(row)
    if not rows:
        raise InvalidRequest.of("items", "there is no line in it, wanted at least one")
    return rows


def check_names_pictures(rows: Sequence[Row]) -> None:
    """Refuse rows that name no picture where a ZIP of pictures came with them: all would be drawn
    from words alone, and nobody sends pictures for that.

    Raises:
        InvalidRequest: none does.
    """
    known = [row for row in rows if not isinstance(row, Failure)]
    if known and not any(row.get(name) for row in known for name in _NAMES_OF_PICTURES):
        fields = dict.fromkeys(name for row in known for name in row)
        raise InvalidRequest.of(
            "items",
            "no line names a picture of the ZIP, wanted its name in the column `image`; "
            f"there is {_told(fields)}",
        )


def _json_rows(text: str) -> Iterator[Row]:
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        is_object = isinstance(row, dict)
        yield row if is_object else Failure(UNREADABLE, "it is no JSON object")


def _csv_rows(text: str) -> Iterator[Row]:
    """Empty cells are left out, as if they had no column; spaces around cells do not count, nor do
    capitals in the header.
    """
    try:
        reader = rows_of(text, delimiter_of(text, "caption"), strict=True)
        header = header_of(reader)
        if header.count("caption") != 1:
            wanted = "wanted one column `caption`, in CSV with a header, or JSONL"
            raise InvalidRequest.of("items", f"there is {_told(header)}; {wanted}")
        for cells in reader:
            row = dict(zip(header, map(str.strip, cells), strict=False))
            yield {name: cell for name, cell in row.items() if name and cell}
    except csv.Error as error:
        raise InvalidRequest.of("items", f"it cannot be read as CSV: {error}") from None


def _told(columns: Iterable[str]) -> str:
    """The columns that there are, for a person who looks for the slip in them."""
    listed = [f"`{name[:_MAX_TOLD_LETTERS]}`" for name in columns if name][:_MAX_TOLD]
    return ", ".join(listed) or "no column"
