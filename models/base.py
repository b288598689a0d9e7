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
    """Encoded captions, or mixtures of two, whose words stand one caption's after the other's."""

    words: Tensor  # (B, T, D)
    sentence: Tensor  # (B, D)
    mask: Tensor  # (B, T) bool, True at a word that is read
    judged: "TextFeatures | None" = None  # as another network reads the words, to score each
    parts: tuple[int, ...] = ()  # of a mixture: how many of the T places each caption has
    shares: Tensor | None = None  # of a mixture: (B, parts), how much each caption counts

    def mix(self, other: "TextFeatures", position: Tensor) -> "TextFeatures":
        """Between these captions and others, `position` (B,) in [0, 1]; 0 is these, 1 the others.

        The sentence moves on the straight line between the two (Nam et al., figure 7; Dong et al.,
        figure 7; Reed et al., eq. 5). Words can't: captions differ in length, and no word of one
        belongs to a word of the other. So all are there, and `weigh` shares them out.
        """
        at = position.to(self.sentence)[:, None]
        judged = None
        if self.judged is not None and other.judged is not None:
            judged = self.judged.mix(other.judged, position)
        return TextFeatures(
            torch.cat([self.words, other.words], dim=1),
            torch.lerp(self.sentence, other.sentence, at),
            torch.cat([self.mask & (at < 1), other.mask & (at > 0)], dim=1),
            judged,
            parts=(self.words.shape[1], other.words.shape[1]),
            shares=torch.cat([1 - at, at], dim=1),
        )

    def weigh(self, energy: Tensor) -> Tensor:
        """(B, T, ...) -> weights in [0, 1] that sum to 1 over the words, and 0 where none is read.

        In a mixture each caption's words are weighed among themselves, as if it were alone, and
        then by the caption's share; among all, the caption with the larger energies would rule
        until it is gone, and the picture would leap.
        """
        beyond = (...,) + (None,) * (energy.ndim - 2)
        lowest = torch.finfo(energy.dtype).min  # not infinity: a caption may count for nothing
        masked = energy.masked_fill(~self.mask[beyond], lowest)
        if self.shares is None:
            return masked.softmax(1)
        weights = [part.softmax(1) for part in masked.split(list(self.parts), dim=1)]
        shares = self.shares.to(energy.dtype)[:, :, None][beyond].unbind(1)
        return torch.cat([w * share for w, share in zip(weights, shares, strict=True)], dim=1)


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

    def mix(self, other: "Prepared", position: Tensor) -> "Prepared":
        """Between these pictures and others, `position` (B,) in [0, 1]; 0 is these, 1 the others.

        What the network makes of a picture moves on the straight line between the two (Dong et al.,
        figure 6). So does the picture itself, for a network that goes back to its pixels.
        """
        at = position.to(self.image)[:, None, None, None]
        pairs = zip(self.features, other.features, strict=True)
        return Prepared(
            torch.lerp(self.image, other.image, at), tuple(torch.lerp(a, b, at) for a, b in pairs)
        )


@dataclass(frozen=True)
class Output:
    """What a system returns; the worker turns it into pictures."""

    image: Tensor  # (B, 3, S, S) in [-1, 1]
    stages: tuple[Tensor, ...] = ()  # earlier pictures, smallest first
    attention: tuple[Tensor, ...] = ()  # (B, T, h, w) each, in [0, 1]: where each word looked
    scores: Tensor | None = None  # (B, T) in [0, 1], how far each word is obeyed


class System(nn.Module, ABC):
    """The code of one paper, with its vocabulary."""

    tasks: ClassVar[frozenset[Task]]
    keeps_photo: ClassVar[bool] = True  # an edit is the picture with a change; False: drawn anew
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

    def embed(self, prepared: Prepared) -> Tensor:
        """Prepared pictures -> where they lie among pictures, (B, D) of length 1."""
        raise UnsupportedTask(f"{type(self).__name__} does not search")

    def compose(self, prepared: Prepared | None, text: TextFeatures) -> Tensor:
        """(B, D) of length 1, near pictures that are like `prepared` but as the words say.

        Without pictures: near those that the words alone describe.
        """
        raise UnsupportedTask(f"{type(self).__name__} does not search")


class Invertible(System):
    """A system that makes pictures from words, whose generator can also be moved at its root.

    Noise alone is too little to find a photo again; models/inversion.py looks for both.
    """

    @property
    @abstractmethod
    def root_shape(self) -> tuple[int, int, int]:
        """(C, 4, 4) of the map that the generator starts from."""

    @abstractmethod
    def grow(self, text: TextFeatures, noise: Tensor, shift: Tensor | None) -> Output:
        """As `generate`, with `shift` (B, C, 4, 4) added to the map that it starts from."""

    def generate(self, text: TextFeatures, noise: Tensor) -> Output:
        return self.grow(text, noise, None)
