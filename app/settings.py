"""What the web process can be told by the environment, besides what it shares with the worker."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, Secret, field_validator
from pydantic_settings import NoDecode

from worker import pictures
from worker.settings import Settings as SharedSettings

# Of 24 to 64 bytes, as Standard Webhooks wants.
_WebhookSecret = Secret[Annotated[str, Field(pattern=r"^whsec_[A-Za-z0-9+/]{32,88}={0,2}$")]]


class Settings(SharedSettings):
    """Each field is read from WORDBRUSH_<NAME>."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    access: Literal["auto", "keys", "open"] = "auto"  # auto: keys, unless `host` is loopback
    keys_file: Path = Field(default_factory=lambda data: data["data_dir"] / "keys.json")
    max_upload_bytes: int = Field(default=pictures.MAX_BYTES, gt=0)
    max_pixels: int = Field(default=pictures.MAX_PIXELS, gt=0)
    max_wait_s: int = Field(default=60, ge=0)  # the longest `Prefer: wait`
    max_waiters: int = Field(default=48, ge=1)  # a connection each, of the queue client's 100
    max_followers: int = Field(default=200, ge=1)  # streams of events; a connection each
    max_batch_bytes: int = Field(default=2**30, gt=0)  # of a batch's pictures and lines
    imports: bool = True  # of published weights, for whoever access.py lets
    max_import_bytes: int = Field(default=2**30, gt=0)  # of all files of one
    outbound_hosts: Annotated[tuple[str, ...], NoDecode] = ()  # called though they are not public

    image_urls: bool = False  # pictures are fetched from addresses that clients name
    image_url_timeout_s: float = Field(default=10.0, gt=0, allow_inf_nan=False)  # for all of one

    webhooks: bool = True  # False: none is taken, and none is sent from this process
    webhook_secret: _WebhookSecret | None = None  # None: one is made, in the data directory
    webhook_timeout_s: float = Field(default=10.0, gt=0, allow_inf_nan=False)  # of one attempt
    webhook_patience_s: int = Field(default=24 * 3600, ge=0)  # from the first attempt to the last

    @field_validator("outbound_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: Any) -> Any:
        """The environment lists hosts with commas between."""
        return tuple(filter(None, value.split(","))) if isinstance(value, str) else value
