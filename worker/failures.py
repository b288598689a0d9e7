"""Why a request could not be done, in words for the person who asked."""

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from models.base import EmptyCaption, UnsupportedTask
from models.checkpoint import BadCheckpoint
from worker.crops import BadCrop
from worker.loading import UnknownModel
from worker.messages import Failure
from worker.pictures import BadPicture
from worker.store import NotStored, StoreDown

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Canceled(RuntimeError):
    """Nobody wants the result any more."""


class BadMask(ValueError):
    """The mask does not fit the photo."""


_TITLES: Mapping[type[Exception], str] = MappingProxyType(
    {
        Canceled: "Canceled",
        UnknownModel: "There is no such model",
        BadCheckpoint: "The model can't be loaded",
        UnsupportedTask: "The model can't do this",
        EmptyCaption: "The caption has no words",
        NotStored: "The picture is gone",
        BadPicture: "The picture can't be used",
        BadCrop: "The crop does not fit the picture",
        BadMask: "The mask does not fit the picture",
    }
)
_UNEXPECTED = Failure(
    "Something went wrong inside",
    "The worker hit an error that it did not expect; its log says more. Try again.",
    retryable=True,
)
_STORE_DOWN = Failure(
    "The store can't be reached",
    "The place where pictures are kept takes or gives none now. Try again.",
    retryable=True,
)


def attempt(step: Callable[[], T]) -> T | Failure:
    """What `step` returns, or why it can't."""
    try:
        return step()
    except StoreDown as error:
        _log.error("a request failed: %s", error)  # where the store is is nobody else's business
        return _STORE_DOWN
    except Exception as error:
        for kind, title in _TITLES.items():
            if isinstance(error, kind):
                return Failure(title, str(error))
        _log.exception("a request failed in an unexpected way")
        return _UNEXPECTED
