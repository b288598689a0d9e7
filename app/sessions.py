"""Signed-in browsers: a key entered once in the page, for which the browser keeps a token.

The key itself stays nowhere in the browser. The queue server has the token's hash and which key it
stands for, so that revoking the key ends its sessions too.
"""

from hashlib import sha256
from secrets import token_urlsafe

import redis
from rq.utils import as_text

from worker.connection import outages_named

COOKIE = "wordbrush_session"
SESSION_S = 7 * 24 * 3600


class Sessions:
    """Each method raises QueueDown when the queue server can't be reached."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection

    def begin(self, key_id: str) -> str:
        """A token that stands for the key until SESSION_S have passed."""
        token = token_urlsafe(32)
        with outages_named():
            self._connection.set(_place(token), key_id, ex=SESSION_S)
        return token

    def key_id(self, token: str) -> str | None:
        """Id of the key that `token` stands for."""
        with outages_named():
            found = self._connection.get(_place(token))
        return as_text(found) if found else None

    def end(self, token: str) -> None:
        with outages_named():
            self._connection.delete(_place(token))


def _place(token: str) -> str:
    return f"wordbrush:session:{sha256(token.encode()).hexdigest()}"
