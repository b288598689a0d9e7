"""What trainers share whose network is judged by discriminators, with captioned pictures."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Protocol

import torch
from torch import nn

from models.base import System
from models.layers import N, channels_last
from models.lite import load_lite
from training.data import CaptionedPictures
from training.features import FeatureDiscriminator
from training.loop import Part
from training.system_trainer import Recipe, SystemTrainer


class _Recipe(Recipe, Protocol):
    @property
    def lambda_feature(self) -> float: ...


class AdversarialTrainer(SystemTrainer):
    """A trainer of the paper's discriminators and, where the recipe has it, one that looks through
    Lite0 beside them.
    """

    recipe: _Recipe
    data: CaptionedPictures
    kept: CaptionedPictures  # only looked at
    device: torch.device
    seed: int
    features: FeatureDiscriminator | None

    @abstractmethod
    def own_parts(self) -> Mapping[str, Part]:
        """What a resumed run needs of the paper's discriminators and of the optimisers."""

    def parts(self) -> Mapping[str, Part]:
        parts = {"net": self.net, "average": self.average.copy, **self.own_parts()}
        if self.features is not None:
            parts["features"] = self.features.own
        return parts

    def served(self) -> System:
        net = self.average.copy
        assert isinstance(net, System)
        return net

    def _place(self, module: N) -> N:
        return channels_last(module.to(self.device))

    def _feature_discriminator(
        self, text_dim: int, *, side: int | None = 128
    ) -> FeatureDiscriminator | None:
        """None if the recipe has none; `side` as FeatureDiscriminator takes it."""
        if not self.recipe.lambda_feature:
            return None
        return self._place(FeatureDiscriminator(load_lite("lite0"), text_dim, side=side))

    def _feature_heads(self) -> list[nn.Parameter]:
        return self.features.trained_parameters() if self.features is not None else []
