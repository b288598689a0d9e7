"""What the web process and the worker must agree on, read from the environment. Free of torch.

Each field is set by WORDBRUSH_<NAME>; the queue's address also by plain REDIS_URL. Without any of
them everything lies under one data directory: `.wordbrush/` in a checkout, else the user's own.
"""

import os
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Annotated, Any, Literal

from fsspec import available_protocols
from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from redis.connection import parse_url

_ROOT = Path(__file__).resolve().parent.parent
_PREFIX = "WORDBRUSH_"
_REDIS_URLS = ("WORDBRUSH_REDIS_URL", "REDIS_URL")  # the first that is set counts
_DAY_S = 24 * 3600
_MAX_SOCKET_PATH_BYTES = 100  # macOS allows 104 with the ending zero, Linux 108
_READ_ONLY = {"http", "https"}
_SCHEMES = {"valkey+unix": "unix", "valkey": "redis", "valkeys": "rediss"}


class BadSettings(ValueError):
    """Something is set to what it can't be; names the variable, and never shows its value."""


class Settings(BaseSettings):
    """Where things are, how long they are kept and how much is too much."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    data_dir: Path = Field(default_factory=lambda: default_data_dir())
    redis_url: str = Field(
        default_factory=lambda data: f"unix://{queue_socket(data['data_dir'])}",
        validation_alias=AliasChoices(*_REDIS_URLS),
    )
    store_url: str = Field(default_factory=lambda data: str(data["data_dir"] / "store"))
    checkpoints: Annotated[tuple[Path, ...], NoDecode] = Field(
        default_factory=lambda data: (_ROOT / "checkpoints", data["data_dir"] / "checkpoints")
    )

    library: Path = _ROOT / "static" / "samples"  # a folder of pictures that anyone may search

    max_queue: int = Field(default=1000, ge=1)  # jobs waiting in each of the two queues
    job_timeout_s: int = Field(default=60, ge=1)
    result_ttl_s: int = Field(default=_DAY_S, ge=1)
    upload_ttl_s: int = Field(default=_DAY_S, ge=1)  # also how long a job may wait

    log_format: Literal["auto", "json", "text"] = "auto"  # auto: text on a terminal, else JSON

    device: str = "auto"  # auto, cpu, cuda, cuda:1, ...
    batch_size: int = Field(default=32, ge=1)  # pictures that go through a network at once, at most
    threads: int | None = Field(default=None, ge=1)  # of torch; None: all cores
    models: Annotated[tuple[str, ...] | None, NoDecode] = (
        None  # of this worker; None: all there are
    )
    models_mb: int | None = Field(default=None, ge=1)  # of models in memory; None: all of them
    cache_mb: int = Field(default=512, ge=0)  # decoded photos and features kept by one worker

    def __init__(self, **given: Any) -> None:
        """
        Raises:
            BadSettings: a variable, or what is `given`, is not as it should be.
        """
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise BadSettings(_told(error)) from error

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.expanduser().resolve()

    @field_validator("redis_url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        """redis-py has no word for Valkey's schemes, though the protocol is the same."""
        scheme, found, rest = url.partition("://")
        known = f"{_SCHEMES.get(scheme, scheme)}{found}{rest}"
        try:
            parse_url(known)  # type: ignore[no-untyped-call]
        except ValueError:
            raise ValueError("wanted such as redis://host:6379/0 or unix:///a/socket") from None
        return known

    @field_validator("store_url")
    @classmethod
    def _takes_files(cls, url: str) -> str:
        """One that can only be read would fail at the first picture, not at the start."""
        kind, found, _ = url.rpartition("::")[2].partition("://")
        if found and (kind in _READ_ONLY or kind not in available_protocols()):
            raise ValueError("wanted a folder, or such as s3://bucket/prefix")
        return url

    @field_validator("checkpoints", mode="before")
    @classmethod
    def _folders(cls, value: Any) -> Any:
        """The environment lists folders as PATH does."""
        return value.split(os.pathsep) if isinstance(value, str) else value

    @field_validator("models", mode="before")
    @classmethod
    def _ids(cls, value: Any) -> Any:
        """The environment lists ids with commas between."""
        return tuple(filter(None, value.split(","))) if isinstance(value, str) else value

    @property
    def has_own_queue(self) -> bool:
        """No queue server was named, so `wordbrush up` starts one."""
        return "redis_url" not in self.model_fields_set

    def to_environment(self) -> dict[str, str]:
        """What a child process needs to come to the same settings."""
        shared = {name: getattr(self, name) for name in Settings.model_fields}
        shared["checkpoints"] = os.pathsep.join(map(str, self.checkpoints))
        shared["models"] = ",".join(self.models) if self.models else None
        return {f"{_PREFIX}{k.upper()}": str(v) for k, v in shared.items() if v is not None}


def _told(error: ValidationError) -> str:
    """A line for each thing that is wrong, without those that follow from another."""
    wrong = error.errors(include_url=False, include_input=False, include_context=False)
    return "\n".join(
        f"{_variable(str(one['loc'][0]))}: {one['msg']}"
        for one in wrong
        if one["type"] != "default_factory_not_called"
    )


def _variable(place: str) -> str:
    """What a field, or the first of its names, was set by."""
    name = _PREFIX + place.removeprefix(_PREFIX).upper()
    is_plain = name == _REDIS_URLS[0] and not os.environ.get(name)
    return _REDIS_URLS[1] if is_plain else name


def default_data_dir() -> Path:
    """`.wordbrush` beside the code in a checkout, else the place that XDG names."""
    if (_ROOT / "pyproject.toml").exists():
        return _ROOT / ".wordbrush"
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "wordbrush"


def queue_socket(data_dir: Path) -> Path:
    """Where the queue server of `data_dir` listens; a long path has its socket under /tmp."""
    socket = data_dir / "queue" / "queue.sock"
    if len(os.fsencode(socket)) <= _MAX_SOCKET_PATH_BYTES:
        return socket
    digest = sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(gettempdir()) / f"wordbrush-{os.getuid()}-{digest}" / "queue.sock"
