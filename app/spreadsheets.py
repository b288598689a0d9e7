"""CSV as people's spreadsheets write it: the delimiter and the header's spelling may vary."""

import csv
import io
from collections.abc import Iterator

_DELIMITERS = (",", ";", "\t")  # the second where commas are decimal


def delimiter_of(text: str, column: str) -> str:
    """The one that makes such a column of the header, and the most columns."""

    def fit(delimiter: str) -> tuple[bool, int]:
        header = header_of(rows_of(text, delimiter, strict=False))
        return column in header, len(header)

    return max(_DELIMITERS, key=fit)


def header_of(rows: Iterator[list[str]]) -> list[str]:
    """The next row as names of columns: spaces around them do not count, nor do capitals."""
    return [name.strip().lower() for name in next(rows, [])]


def rows_of(text: str, delimiter: str, *, strict: bool) -> Iterator[list[str]]:
    """The cells of each row that has any.

    Raises:
        csv.Error: where `strict`, a row breaks the rules of quotes.
    """
    lines = io.StringIO(text, newline="")
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)
    return filter(None, rows)
