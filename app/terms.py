"""What a request says of its job besides what to draw: its id, and its idempotency key."""

import json
from hashlib import file_digest, sha256
from typing import Annotated, Any

from fastapi import Depends, Header, Request, UploadFile
from pydantic import BaseModel

from app.forms import Told
from worker.idempotency import IdempotencyKey
from worker.queue import Terms

_KEY_PATTERN = r"^[\x21-\x7e]+$"


class AskedTerms:
    """The terms as far as headers say them; the key is complete only with the body."""

    def __init__(self, address: str, request_id: str, key: str | None) -> None:
        self._address = address
        self._request_id = request_id
        self._key = key

    def with_body(self, body: BaseModel | None) -> Terms:
        """The terms of a request that says `body`, None where its address says it all; files are
        read, and are then at their start.
        """
        key = self._key and IdempotencyKey.of(self._key, f"{self._address} {_digest(body)}")
        webhook = body.webhook if isinstance(body, Told) else None
        return Terms(request_id=self._request_id, key=key or None, webhook=webhook)


async def _asked(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            pattern=_KEY_PATTERN,
            description="Any text of your own, new for each new request. For 24 hours the same "
            "request with the same key is not done again, it is answered with the same job; "
            "another request with that key is refused.",
        ),
    ] = None,
) -> AskedTerms:
    address = f"{request.method} {request.url.path}"
    owner = getattr(request.state, "key", None)  # the API key, where keys are in force
    if key and owner:
        key = f"{owner.id} {key}"  # what one client calls its requests is no matter of another's
    return AskedTerms(address, request.state.request_id, key)


Asked = Annotated[AskedTerms, Depends(_asked)]


def _digest(body: BaseModel | None) -> str:
    """Equal for bodies that ask for the same: fields in any order, files by what is in them."""
    fields = {name: _plain(value) for name, value in body or ()}
    return sha256(json.dumps(fields, sort_keys=True, default=repr).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if not isinstance(value, UploadFile):
        return value
    value.file.seek(0)
    digest = file_digest(value.file, "sha256").hexdigest()  # type: ignore[arg-type]
    value.file.seek(0)
    return digest
