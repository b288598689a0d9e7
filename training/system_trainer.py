"""What trainers of whole systems have in common: how what they learnt becomes a checkpoint."""

from abc import abstractmethod
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

from models.base import System
from models.checkpoint import SUFFIX, Header
from models.weights import save
from training import warm_start
from training.loop import Average, Trainer


class Recipe(Protocol):
    """What every recipe has."""

    @property
    def batch_size(self) -> int: ...


class SystemTrainer(Trainer):
    """A trainer whose export is served."""

    header: Header  # says what the export is of
    recipe: Recipe
    net: Any  # the network that learns
    average: Average  # of it

    @abstractmethod
    def served(self) -> System:
        """The averaged network, as the checkpoint holds it."""

    @property
    def pictures_a_step(self) -> int:
        """How many pictures of the data a step sees."""
        return self.recipe.batch_size

    def begin_with(self, trained: System) -> warm_start.Taken:
        """Begin with weights of `trained`, wherever they fit.

        Raises:
            NothingFits: they fit nowhere.
        """
        taken = warm_start.take(self.net, self.header.vocabulary, trained, trained.vocabulary)
        self.average.copy.load_state_dict(self.net.state_dict())
        return taken

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
