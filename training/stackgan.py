"""StackGAN's losses: Stage-I first, then Stage-II on top of a Stage-I that no longer changes.

Source: Zhang et al., ICCV 2017, arXiv:1612.03242, eq. 3 to 6; optimiser, weights and the kinds of
pairs from section 4 and the authors' code.
Not from the paper: captions are read by words, but for a given reader of letters (generation.py).
Shapes: B batch, D text width, Z noise width, K width of the conditioning vector.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from models.checkpoint import Header
from models.stackgan import ENLARGEMENT, Config, Discriminator, Stackgan
from training import generation
from training.augment import Augmentation
from training.data import CaptionedPictures, Sampling
from training.generation import Drawn, GenerationTrainer, Pairs
from training.losses import kl_divergence, says_fake, says_real


class WrongSketcher(ValueError):
    """Stage-II was given no Stage-I, or one of another size or vocabulary."""


@dataclass(frozen=True)
class Recipe(generation.Recipe):
    """`PAPER` is the published one for COCO, `SMALL` learns on two CPU cores."""

    lambda_kl: float = 2.0  # lambda of eq. 4 and 6


PAPER = Recipe(
    Config(reader="words", image_size=64, stages=1),
    batch_size=128,
    halve_every=20 * 80_000,  # 20 epochs of COCO
)
SMALL = Recipe(
    Config(
        reader="words",
        text_dim=256,
        word_dim=128,
        image_size=32,
        stages=1,
        cond_dim=64,
        z_dim=64,
        gen_channels=64,
        disc_channels=32,
        blocks=1,
    ),
    batch_size=32,
    lambda_kl=1.0,
    fade=0.2,
    lambda_feature=2.0,
    augmentation=Augmentation(translation=0.125, noise=0.05),
    sampling=Sampling(colour_swaps=0.5, balance=0.5, word_dropout=0.01, shortened=0.4),
)
RECIPES = {"small": SMALL, "paper": PAPER}


def second_stage(recipe: Recipe, first: Config) -> Recipe:
    """The recipe that goes on from a Stage-I of this config."""
    both = replace(first, stages=2, image_size=first.image_size * ENLARGEMENT)
    return replace(recipe, model=both)


class StackganTrainer(GenerationTrainer):
    """The stage that the config asks for; Stage-II takes a trained Stage-I and its words."""

    recipe: Recipe

    def __init__(
        self,
        recipe: Recipe,
        data: CaptionedPictures,
        kept: CaptionedPictures,
        header: Header,
        *,
        sketcher: Stackgan | None = None,
        **options: Any,
    ) -> None:
        """`sketcher` is the trained Stage-I; the rest as in GenerationTrainer.

        Raises:
            WrongSketcher: there is none for Stage-II, or it does not fit.
        """
        self.sketcher = sketcher
        super().__init__(recipe, data, kept, header, **options)

    def prepare(self) -> None:
        if self.recipe.model.stages == 1:
            return
        if self.sketcher is None:
            raise WrongSketcher("Stage-II is trained on top of a trained Stage-I; none was given")
        if self.sketcher.vocabulary != self.header.vocabulary:
            raise WrongSketcher("Stage-I knows other words than the data's vocabulary")
        if self.sketcher.cfg.image_size != self.recipe.model.sketch_side:
            has, wanted = self.sketcher.cfg.image_size, self.recipe.model.sketch_side
            raise WrongSketcher(f"Stage-I draws {has} px, wanted {wanted}")
        nets: list[Any] = [self.net, self.average.copy]
        for net in nets:
            net.generator.stage_one.load_state_dict(self.sketcher.generator.stage_one.state_dict())
            net.reader.load_state_dict(self.sketcher.reader.state_dict())
        self.net.generator.stage_one.eval().requires_grad_(False)
        self.net.reader.requires_grad_(False)

    def generator_parameters(self) -> list[nn.Parameter]:
        return list(self._stage.parameters())

    @property
    def _stage(self) -> nn.Module:
        """The stage that is trained."""
        generator = self.net.generator
        return generator.stage_one if self.recipe.model.stages == 1 else generator.stage_two

    def discriminators(self) -> Iterable[nn.Module]:
        return [Discriminator(self.recipe.model, self.recipe.model.stages)]

    def draw(self, sentence: Tensor, rng: torch.Generator) -> Drawn:
        noise = torch.randn(len(sentence), self.net.noise_dim, generator=rng).to(self.device)
        pictures, drawn = self.net.generator(sentence, noise)
        kl = kl_divergence(drawn.mu, drawn.logvar) if self.recipe.model.augments else None
        return Drawn([pictures[-1].float()], drawn.mu, kl)

    def tell(self, sentence: Tensor) -> Tensor:
        nothing = torch.zeros(len(sentence), self.recipe.model.cond_dim, device=self.device)
        augment: Any = self._stage.augment
        return augment(sentence, nothing).mu

    def discriminator_losses(self, pairs: Pairs) -> dict[str, Tensor]:
        """Eq. 3 or 5, with real pictures of other captions as a third kind."""
        (disc,), (real,), (fake,) = self.discs, pairs.real, pairs.fake
        right, wrong, made = (
            disc(real, pairs.right),
            disc(real, pairs.wrong),
            disc(fake, pairs.right),
        )
        yes = says_real(right.conditional)
        no = says_fake(wrong.conditional) + says_fake(made.conditional)
        if right.unconditional is None:
            return {"d_cond": yes + no / 2}
        free = says_real(right.unconditional) / 2 + says_fake(made.unconditional) / 3
        return {"d_cond": yes / 2 + no / 3, "d_free": free}

    def generator_losses(
        self, drawn: Drawn, shown: list[Tensor], sentence: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """Eq. 4 or 6; -log D in place of log(1 - D), as in the authors' code."""
        judged = self.discs[0](shown[0], drawn.told.detach())
        losses = {"g_cond": says_real(judged.conditional)}
        if judged.unconditional is not None:
            losses["g_free"] = says_real(judged.unconditional)
        if drawn.kl is not None:
            losses["g_kl"] = self.recipe.lambda_kl * drawn.kl
        return losses
