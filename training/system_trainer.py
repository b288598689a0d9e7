"""What trainers of whole systems have in common: how what they learnt becomes a checkpoint."""

from abc import abstractmethod
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

from models.base import System
from models.checkpoint import SUFFIX, Header
from models.weights import save
from training.loop import Trainer


class _Recipe(Protocol):
    @property
    def batch_size(self) -> int: ...


class SystemTrainer(Trainer):
    """A trainer whose export is served."""

    header: Header  # says what the export is of
    recipe: _Recipe

    @abstractmethod
    def served(self) -> System:
        """The averaged network, as the checkpoint holds it."""

    @property
    def pictures_a_step(self) -> int:
        """How many pictures of the data a step sees."""
        return self.recipe.batch_size

    def export(self, folder: Path, *, steps: int, hours: float) -> Path:
        system = self.served()
        header = replace(
            self.header,
            config=asdict(system.cfg),
            steps=steps,
            pictures=steps * self.pictures_a_step,
            metrics={"training_hours": round(hours, 2)},
        )
        path = folder / f"{header.id}{SUFFIX}"
        save(system, header, path)
        return path
