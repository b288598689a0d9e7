"""app/spreadsheets.py: what spreadsheets make of a table of captions."""

import csv

import pytest

from app.spreadsheets import delimiter_of, header_of, rows_of


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_one_of_the_header(delimiter: str) -> None:
    text = f"\r\nimage{delimiter} Caption \r\na.jpg{delimiter}red, with; thin petals\r\n"
    assert delimiter_of(text, "caption") == delimiter


def test_of_two_that_fit_it_is_the_one_with_more_columns() -> None:
    assert delimiter_of("caption;a,b,c\n", "caption") == ";"
    assert delimiter_of("caption\n", "caption") == ","


def test_names_of_columns_have_no_spaces_around_and_no_capitals() -> None:
    assert header_of(iter([[" Caption", "IMAGE "], ["red", "a.jpg"]])) == ["caption", "image"]
    assert header_of(iter([])) == []


def test_empty_rows_are_none_and_quotes_hold_lines_together() -> None:
    rows = rows_of('a,b\n\n"one\ntwo",3\n', ",", strict=True)
    assert list(rows) == [["a", "b"], ["one\ntwo", "3"]]


def test_a_quote_that_does_not_end_is_refused_where_rules_hold() -> None:
    with pytest.raises(csv.Error):
        list(rows_of('a,"b\n', ",", strict=True))
