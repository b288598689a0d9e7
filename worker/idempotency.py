"""`Idempotency-Key`: a request that is sent twice is done once. Free of torch.

A key names one request for a day: with what was asked and what came of it. It is written in the
transaction that queues the work, so that two senders at one time can't both succeed.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

import redis
from redis.client import Pipeline

TTL_S = 24 * 3600


class KeyReused(ValueError):
    """The key came before, with another request."""


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's key, and what it is a key to."""

    name: str  # where it is kept; a digest, since clients put all kinds of things into keys
    fingerprint: str  # of the request: address and body

    @classmethod
    def of(cls, text: str, fingerprint: str) -> Self:
        return cls(f"wordbrush:idempotency:{sha256(text.encode()).hexdigest()}", fingerprint)


def earlier(client: redis.Redis | Pipeline, key: IdempotencyKey) -> str | None:
    """The id of what the same request came to before, if it came before.

    Raises:
        KeyReused: another request had the key.
    """
    raw = client.get(key.name)
    if raw is None:
        return None
    kept = json.loads(raw)
    if kept["fingerprint"] != key.fingerprint:
        raise KeyReused("the key was used before, for another request")
    found: str = kept["id"]
    return found


def remember(pipe: Pipeline, key: IdempotencyKey, found: str) -> None:
    """With all else in `pipe`: the request with this key came to `found`."""
    kept = json.dumps({"fingerprint": key.fingerprint, "id": found})
    pipe.set(key.name, kept, ex=TTL_S)
