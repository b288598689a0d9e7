"""The cache keeps what was used last, within its bytes."""

from worker.cache import ByteCache


def never() -> bytes:
    raise AssertionError("made again")


def test_a_value_is_made_once() -> None:
    cache = ByteCache[bytes](10, len)
    assert cache.get("a", lambda: b"aaa") == b"aaa"
    assert cache.get("a", never) == b"aaa"


def test_the_value_used_longest_ago_goes_first() -> None:
    cache = ByteCache[bytes](6, len)
    for key in ("a", "b", "a", "c"):  # "a" is used again, so "b" is the oldest
        cache.get(key, lambda: b"xxx")
    cache.get("a", never)
    cache.get("c", never)
    assert cache.get("b", lambda: b"new") == b"new"


def test_a_value_larger_than_the_cache_is_returned_and_not_kept() -> None:
    cache = ByteCache[bytes](6, len)
    cache.get("small", lambda: b"xxx")
    cache.get("large", lambda: b"x" * 7)
    cache.get("small", never)
    assert cache.get("large", lambda: b"again") == b"again"
