"""Checkpoints from folders into memory, each loaded once and kept."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import torch

from models import weights
from models.base import System
from models.checkpoint import BadCheckpoint, Checkpoint, scan
from models.fuse import fuse

Load = Callable[[Path, torch.device], System]

_log = logging.getLogger(__name__)


class UnknownModel(LookupError):
    """No folder has a checkpoint with this id."""


def load_for_serving(path: Path, device: torch.device) -> System:
    """The system in a checkpoint, rewritten to run fast.

    Raises:
        BadCheckpoint: the file is not ours, is damaged, or does not fit its system.
    """
    return fuse(weights.load(path, device)).eval()


def choose_device(name: str) -> torch.device:
    """The device called `name`; "auto" is the first GPU, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


class ModelPool:
    """The systems that this worker serves; a file that appears later is found when asked for."""

    def __init__(
        self,
        folders: Sequence[Path],
        device: torch.device,
        load: Load = load_for_serving,
        on_load: Callable[[str, float], None] = lambda model_id, seconds: None,
    ) -> None:
        """`on_load` is told each model that was loaded, and how many seconds that took."""
        self.device = device
        self._on_load = on_load
        self._folders = folders
        self._load = load
        self._resident: dict[str, System] = {}

    @property
    def resident(self) -> tuple[str, ...]:
        """Ids of the models in memory."""
        return tuple(self._resident)

    def get(self, model_id: str) -> System:
        """The system with this id, loaded if need be; its weights are plain tensors even where
        inference mode is on, since some systems need gradients to look at a picture.

        Raises:
            UnknownModel: no folder has it.
            BadCheckpoint: its file is damaged or does not fit its system.
        """
        if model_id not in self._resident:
            path, started = self._find(model_id).path, perf_counter()
            with torch.inference_mode(False):
                self._resident[model_id] = self._load(path, self.device)
            self._on_load(model_id, perf_counter() - started)
        return self._resident[model_id]

    def warm(self) -> None:
        """Load all there are; one that can't be loaded is left out and named in the log."""
        for model_id in scan(self._folders):
            try:
                self.get(model_id)
            except BadCheckpoint as error:
                _log.error("%s is not served: %s", model_id, error)

    def _find(self, model_id: str) -> Checkpoint:
        found = scan(self._folders)
        if model_id not in found:
            known = ", ".join(found) or "none"
            raise UnknownModel(f"there is no model {model_id!r}; there is: {known}")
        return found[model_id]
