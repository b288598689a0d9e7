"""What is sent and what comes in a stream, as data. Nothing here touches a network."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, TypedDict
from uuid import uuid4

import httpx

from wordbrush.answers import Event
from wordbrush.errors import BadAddress, BadKey

Photo = str | PathLike[str] | bytes | BinaryIO  # a path, or what is in the file

MAX_WAIT_S = 60  # the longest that a server waits with its answer
_FILES = ("image", "image_to", "mask")


class GenerateOptions(TypedDict, total=False):
    """What a wish for a picture may say besides its caption; None is as if left out."""

    model: str | None
    seed: int | None
    variations: int | None
    format: str | None  # png, jpeg or webp
    caption_to: str | None  # go from the caption to this one
    steps: int | None  # pictures from one end to the other
    webhook: str | None  # an address that is to hear how it ended


class EditOptions(GenerateOptions, total=False):
    """The same for an edit."""

    image_id: str | None  # of a stored picture, instead of a photo
    image_to: Photo | None  # go from the photo to this one
    image_id_to: str | None
    crop: tuple[int, int, int, int] | None  # left, top, width, height in pixels
    mask: Photo | None  # white may change, black may not
    full_resolution: bool | None


@dataclass(frozen=True)
class Call:
    """One request; it may be sent again, since it names itself by its key."""

    method: str
    url: str  # under the server's
    params: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | None = None
    json: Mapping[str, Any] | None = None
    files: Mapping[str, tuple[str, bytes | BinaryIO]] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_repeatable(self) -> bool:
        """Sent twice, it does what it does once."""
        is_named = "Idempotency-Key" in self.headers
        return self.method == "GET" or is_named or self.url.endswith("/cancel")

    def arguments(self) -> dict[str, Any]:
        """For httpx."""
        return {name: value for name, value in vars(self).items() if value}

    def rewind(self) -> None:
        """Make its files ready to be sent again."""
        for _, content in (self.files or {}).values():
            if not isinstance(content, bytes):
                content.seek(0)

    def wait_at_most(self, seconds: float) -> None:
        """Let a server that is to wait with its answer not do so for longer."""
        if self.headers.pop("Prefer", None):
            self.headers.update(_waiting(seconds))


def address(server: str) -> httpx.URL:
    """Of a server, as a person wrote it.

    Raises:
        BadAddress: it is none.
    """
    try:
        url = httpx.URL(server)
        if url.scheme in ("http", "https") and url.host:
            return url
    except httpx.InvalidURL:
        pass
    shown = server.rpartition("@")[2]  # before it may be a password
    raise BadAddress(f"{shown!r} is no address of a server, wanted such as http://127.0.0.1:8000")


def edit(photo: Photo | None, caption: str, wait_s: float, options: EditOptions) -> Call:
    """POST /manipulate; `photo` None where `image_id` names one.

    Raises:
        TypeError: there is no such option.
    """
    said = _said(options, EditOptions) | ({"image": photo} if photo is not None else {})
    files = {name: (name, read(said.pop(name))) for name in _FILES if name in said}
    if "crop" in said:
        said["crop"] = ",".join(map(str, said["crop"]))
    form = {name: str(value).lower() if value is True or value is False else str(value)
            for name, value in said.items()}  # fmt: skip
    return Call("POST", "/manipulate", data=form | {"caption": caption}, files=files or None,
                headers=_once() | _waiting(wait_s))  # fmt: skip


def generate(caption: str, wait_s: float, options: GenerateOptions) -> Call:
    """POST /generate; raises as `edit` does."""
    body = {"caption": caption} | _said(options, GenerateOptions)
    return Call("POST", "/generate", json=body, headers=_once() | _waiting(wait_s))


def retry(job_id: str, wait_s: float) -> Call:
    """POST /jobs/{id}/retry."""
    return Call("POST", f"/jobs/{job_id}/retry", headers=_once() | _waiting(wait_s))


def create_batch(
    items: Sequence[Mapping[str, Any]] | str | PathLike[str] | bytes,
    images: Photo | None,
    **options: Any,
) -> Call:
    """POST /batches; `items` are lines, or a JSONL or CSV file of them, and `images` is a ZIP."""
    lines = (
        read(items)
        if isinstance(items, str | PathLike | bytes)
        else "\n".join(json.dumps(dict(item)) for item in items).encode()
    )
    files: dict[str, tuple[str, bytes | BinaryIO]] = {"items": ("items", lines)}
    if images is not None:
        archive = read(images) if isinstance(images, str | PathLike) else images
        files["images"] = ("images.zip", archive)
    form = {name: str(value) for name, value in options.items() if value is not None}
    return Call("POST", "/batches", data=form, files=files, headers=_once())


def events(job_id: str, reader: "EventReader") -> Call:
    """GET /jobs/{id}/events, from where the last stream was cut off."""
    headers = {"Last-Event-ID": reader.last_id} if reader.last_id else {}
    return Call("GET", f"/jobs/{job_id}/events", headers=headers)


def read(photo: Photo) -> bytes:
    """The bytes of a picture, wherever they are."""
    if isinstance(photo, bytes):
        return photo
    if isinstance(photo, str | PathLike):
        return Path(photo).read_bytes()
    return photo.read()


class EventReader:
    """Puts a stream's lines together to events, and remembers where it is."""

    def __init__(self) -> None:
        self.last_id: str | None = None
        self._fields: dict[str, str] = {}

    def feed(self, line: str) -> Iterator[Event]:
        """The event that ends with this line, if one does."""
        if line:
            name, _, value = line.partition(":")
            self._fields[name] = value.removeprefix(" ")
            return
        said, self._fields = self._fields, {}
        self.last_id = said.get("id", self.last_id)
        if "data" in said:
            yield Event.read(json.loads(said["data"]))


def _said(options: Mapping[str, Any], known: Any) -> dict[str, Any]:
    """Those of the options that say something; a mistyped one would be lost on the way."""
    if unknown := options.keys() - known.__optional_keys__:
        raise TypeError(f"there is no option {', '.join(sorted(unknown))}")
    return {name: value for name, value in options.items() if value is not None}


def with_key(key: str | None) -> dict[str, str]:
    """Headers that show an API key.

    Raises:
        BadKey: it has spaces, breaks or letters that no key has; it may have been copied amiss.
    """
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise BadKey("the key has what no key has (spaces, breaks, other letters), wanted wb_...")
    return {"Authorization": f"Bearer {key}"} if key else {}


def _once() -> dict[str, str]:
    """Sent again, it is not done again."""
    return {"Idempotency-Key": uuid4().hex}


def _waiting(wait_s: float) -> dict[str, str]:
    return {"Prefer": f"wait={int(min(MAX_WAIT_S, wait_s))}"} if wait_s >= 1 else {}
