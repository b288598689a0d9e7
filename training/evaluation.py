"""What an evaluation is given and what it gives, whatever the system does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from models.lite import FOLDER
from training.measures import Share

JUDGES = FOLDER.parent / "judges"


@dataclass(frozen=True)
class Plan:
    """What a checkpoint is measured on."""

    data: Path  # folder with train/ and test/
    domain: str
    pictures: int = 500  # test pictures, from the first, none left out
    seeds: tuple[int, ...] = (0, 1, 2, 3)  # of the noise
    judges: Path = JUDGES  # folder of judges and matchers
    cache: Path = Path(".cache")


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured."""

    metrics: Mapping[str, Any]  # what metrics.json has
    sheets: Mapping[str, Image.Image]  # by file name


def written(share: Share | Mapping[str, Any]) -> str:
    """A share and its interval, such as 61.2% (58-64)."""
    fields = share if isinstance(share, Mapping) else vars(share)
    return f"{fields['share']:.1%} ({100 * fields['low']:.0f}-{100 * fields['high']:.0f})"
