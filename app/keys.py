"""API keys: who may ask for what, and how often. The file of keys holds hashes, no key.

A key reads `wb_<id>_<secret>`: the id may be shown, the secret has 256 random bits, so that a plain
SHA-256 of the whole keeps it. The file is read again when it changes: a key that is revoked is
refused from the next request on, by every web process that reads the same file.
"""

import fcntl
import hmac
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Any, Self

from limits import RateLimitItem, parse, parse_many

DEFAULT_LIMIT = "600/minute"  # the page takes about four requests for an edit

_KEY = re.compile(r"wb_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_ZERO = re.compile(r"(?<!\d)0+(?!\d)")
_MAX_PERIOD_S = 366 * 24 * 3600
_NOBODY = "0" * 64  # compared with where there is no such id, so that its answer takes as long


class UnknownKey(LookupError):
    """No key has this id."""


class BadKeyFile(RuntimeError):
    """The file of keys can't be read or written, or is not one; says which file it is."""


class BadName(ValueError):
    """The text names nobody."""


class BadLimit(ValueError):
    """The text is no rate."""


class Scope(StrEnum):
    """What a key is good for."""

    EDIT = "edit"  # store pictures, change them
    GENERATE = "generate"  # make pictures from words
    READ = "read"  # jobs, their pictures, the models
    METRICS = "metrics"  # what a Prometheus server scrapes
    ADMIN = "admin"  # everything


@dataclass(frozen=True)
class Key:
    """What is kept of a key."""

    id: str
    name: str  # whose it is, in words
    digest: str  # SHA-256 of the key, in hexadecimal
    scopes: tuple[Scope, ...]
    limit: str  # requests in a time, as `limits` writes it: 600/minute
    created_at: str

    @property
    def rate(self) -> RateLimitItem:
        return parse(self.limit)

    def may(self, *scopes: Scope) -> bool:
        """Whether it is good for any of `scopes`."""
        return not {Scope.ADMIN, *scopes}.isdisjoint(self.scopes)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """
        Raises:
            ValueError, TypeError, KeyError: `data` are not what `asdict` makes of a key.
        """
        key = cls(**data | {"scopes": tuple(Scope(scope) for scope in data["scopes"])})
        texts = (key.id, key.name, key.digest, key.limit, key.created_at)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a field is no text")
        _check_limit(key.limit)
        return key


class KeyFile:
    """The keys in one file; safe to share between threads.

    Whatever looks at the keys raises BadKeyFile where the file can't be read, as while another is
    being copied over it; whatever changes them, where it can't be written, too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: tuple[object, dict[str, Key]] = (None, {})

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys().values())

    def find(self, text: str) -> Key | None:
        """The key that `text` is, if it is one; takes as long for a wrong one."""
        match = _KEY.fullmatch(text)
        found = self.get(match[1]) if match else None
        is_it = hmac.compare_digest(_digest(text), found.digest if found else _NOBODY)
        return found if is_it else None

    def get(self, key_id: str) -> Key | None:
        return self._keys().get(key_id)

    def check(self) -> None:
        """
        Raises:
            BadKeyFile: who is known can't be said now.
        """
        self._keys()

    def create(self, name: str, scopes: Sequence[Scope], limit: str = DEFAULT_LIMIT) -> str:
        """Make a key and return it: it can't be read again.

        Raises:
            BadName: `name` is blank.
            BadLimit: `limit` is not one rate, lets nothing through, or is of over a year.
        """
        if not name.strip():
            raise BadName("a key needs a name, so that it is known later whose it is")
        _check_limit(limit)
        key_id = token_hex(4)
        text = f"wb_{key_id}_{token_urlsafe(32)}"
        created_at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._alone():
            key = Key(key_id, name, _digest(text), tuple(scopes), limit, created_at)
            self._write([*self, key])
        return text

    def revoke(self, key_id: str) -> None:
        """Forget the key.

        Raises:
            UnknownKey: there is none with this id.
        """
        with self._alone():
            if self.get(key_id) is None:
                raise UnknownKey(
                    f"there is no key with the id {key_id!r}; see `wordbrush keys list`"
                )
            self._write([key for key in self if key.id != key_id])

    def _keys(self) -> dict[str, Key]:
        try:
            signature = _signature(self._path)
            if signature != self._last[0]:
                self._last = signature, self._read() if signature else {}
        except OSError as error:
            raise BadKeyFile(f"{self._path} can't be read: {error.strerror}") from error
        return self._last[1]

    def _read(self) -> dict[str, Key]:
        try:
            listed = json.loads(self._path.read_text(encoding="utf-8"))
            return {data["id"]: Key.from_json(data) for data in listed}
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadKeyFile(f"{self._path} can't be read as a file of keys: {error}") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands at one time change the file one after the other."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise BadKeyFile(f"{self._path} can't be written: {error.strerror}") from error

    def _write(self, keys: Sequence[Key]) -> None:
        unfinished = self._path.with_suffix(".new")
        unfinished.touch(mode=0o600)
        text = json.dumps([asdict(key) for key in keys], indent=1)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(self._path)


def _check_limit(text: str) -> None:
    try:
        rates = parse_many(text)
    except ValueError:
        rates = []
    # `limits` takes "5 per 0 minute" for five a minute, and Valkey no period without an end.
    if len(rates) != 1 or _ZERO.search(text) or rates[0].get_expiry() > _MAX_PERIOD_S:
        wanted = "wanted such as 600/minute: one rate, of one request at least, in a year at most"
        raise BadLimit(f"{text!r} is no limit, {wanted}")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _signature(path: Path) -> tuple[int, int, int] | None:
    """Changes when the file does; None where there is none."""
    try:
        found: os.stat_result = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
