"""What every system is to the worker: captions and pictures in, an `Output` out.

Shapes: B batch, T words, D text width, S image side in pixels, C h w feature maps.
Pictures are float32 (B, 3, S, S), RGB, in [-1, 1].
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from models.registry import Task
from models.text.vocabulary import Vocabulary


class UnsupportedTask(ValueError):
    """The system cannot do what was asked of it."""


class EmptyCaption(ValueError):
    """No word is left of a caption."""


@dataclass(frozen=True)
class TextFeatures:
    """Encoded captions."""

    words: Tensor  # (B, T, D)
    sentence: Tensor  # (B, D)
    mask: Tensor  # (B, T) bool, True at a real word
    judged: "TextFeatures | None" = None  # as another network reads the words, to score each


@dataclass(frozen=True)
class Prepared:
    """A picture after the part of the network that needs no caption; kept between edits."""

    image: Tensor  # (B, 3, S, S) in [-1, 1]
    features: tuple[Tensor, ...] = ()  # (B, C, h, w) each

    @staticmethod
    def stack(items: Sequence["Prepared"]) -> "Prepared":
        """Several prepared pictures as one batch, in order."""
        features = zip(*(item.features for item in items), strict=True)
        return Prepared(
            torch.cat([item.image for item in items]), tuple(torch.cat(f) for f in features)
        )


@dataclass(frozen=True)
class Output:
    """What a system returns; the worker turns it into pictures."""

    image: Tensor  # (B, 3, S, S) in [-1, 1]
    stages: tuple[Tensor, ...] = ()  # earlier, smaller pictures, smallest first
    attention: tuple[Tensor, ...] = ()  # (B, T, h, w) each, in [0, 1]: where each word looked
    scores: Tensor | None = None  # (B, T) in [0, 1], how far each word is obeyed

    def split(self, counts: Sequence[int]) -> list["Output"]:
        """The first `counts[0]` pictures, the next `counts[1]`, and so on."""
        sections = list(counts)
        image = self.image.split(sections)
        stages, attention = (
            [t.split(sections) for t in ts] for ts in (self.stages, self.attention)
        )
        scores = None if self.scores is None else self.scores.split(sections)
        return [
            Output(
                image[i],
                tuple(s[i] for s in stages),
                tuple(a[i] for a in attention),
                None if scores is None else scores[i],
            )
            for i in range(len(sections))
        ]


class System(nn.Module, ABC):
    """The code of one paper, with its vocabulary."""

    tasks: ClassVar[frozenset[Task]]
    cfg: Any
    vocabulary: Vocabulary

    @property
    @abstractmethod
    def noise_dim(self) -> int:
        """Z, how many standard normal numbers one picture takes."""

    @abstractmethod
    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        """Captions to features, padded to the longest.

        Raises:
            EmptyCaption: a caption has no word.
        """

    def prepare(self, image: Tensor) -> Prepared:
        """(B, 3, S, S) in [-1, 1] -> what `manipulate` takes."""
        raise UnsupportedTask(f"{type(self).__name__} does not take pictures")

    def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
        """Prepared pictures, features and noise (B, Z) -> edited pictures."""
        raise UnsupportedTask(f"{type(self).__name__} does not edit pictures")

    def generate(self, text: TextFeatures, noise: Tensor) -> Output:
        """Features and noise (B, Z) -> new pictures."""
        raise UnsupportedTask(f"{type(self).__name__} does not make pictures from words alone")
