import pytest

from app.prefer import wait_seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, wait=5", 5),
        ("WAIT=5", 5),
        ('wait="5"', 5),
        ("wait = 5", 5),
        ("wait=5; foo=bar", 5),
        ("wait=0", 0),
        ("wait=5, wait=7", 5),
        ('comment="a, wait=9", wait=5', 5),
    ],
)
def test_the_first_wait_counts_however_it_is_written(header: str, seconds: int) -> None:
    assert wait_seconds(header, at_most=60) == seconds


@pytest.mark.parametrize(
    "header",
    [None, "", "respond-async", "wait", "wait=", "wait=-1", "wait=1.5", "wait=x", "wait=²"],
)
def test_what_is_no_wait_is_ignored(header: str | None) -> None:
    assert wait_seconds(header, at_most=60) is None


def test_a_long_wait_is_cut_to_what_is_allowed() -> None:
    assert wait_seconds("wait=86400", at_most=60) == 60
