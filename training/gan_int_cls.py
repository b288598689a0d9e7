"""GAN-INT-CLS's losses.

Source: Reed et al., ICML 2016, arXiv:1605.05396: algorithm 1 (GAN-CLS) and eq. 5
(GAN-INT); optimiser and weights from section 5 and the authors' code for birds.
Not from the paper: captions are read by words, but for a given reader of letters (generation.py).
Against drawing one shape whatever the noise, `SMALL` upsamples smoothly (models/gan_int_cls.py),
since a pattern that transposed convolutions leave drowns what comes through them; leaves matching
to the feature discriminator, since the paper's finds colours that don't match so much sooner than
shapes that aren't real that shapes never get varied; and has `lambda_seek`, the mode-seeking term
of Mao et al., CVPR 2019, arXiv:1903.05628, eq. 3.
Shapes: B batch, D text width, Z noise width.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.gan_int_cls import Config, Discriminator
from training import generation
from training.augment import Augmentation
from training.data import Sampling
from training.generation import Drawn, GenerationTrainer, Pairs
from training.losses import says_fake, says_real

_EPS = 1e-3  # so that equal pictures have a likeness


@dataclass(frozen=True)
class Recipe(generation.Recipe):
    """`PAPER` is the published one, `SMALL` learns on two CPU cores."""

    cls_weight: float = 0.5  # of real pictures with wrong captions; fakes have the rest; 0: no CLS
    lambda_int: float = 1.0  # of captions between two others; 0: no INT
    beta: float = 0.5  # where between them (eq. 5)
    lambda_seek: float = 0.0  # of drawings of one caption being unlike each other; 0: no matter


PAPER = Recipe(Config(reader="words"), batch_size=64, halve_every=100 * 8_855)  # 100 epochs of CUB
SMALL = Recipe(
    Config(
        reader="words",
        text_dim=256,
        word_dim=128,
        cond_dim=64,
        z_dim=64,
        gen_channels=32,
        disc_channels=32,
        upsample="nearest",
    ),
    batch_size=32,
    fade=0.2,
    lambda_feature=2.0,
    cls_weight=0.0,
    lambda_seek=0.1,
    augmentation=Augmentation(translation=0.125, noise=0.05),
    sampling=Sampling(colour_swaps=0.5, balance=0.5, word_dropout=0.01, shortened=0.4),
)
RECIPES = {"small": SMALL, "paper": PAPER}


class GanIntClsTrainer(GenerationTrainer):
    """Algorithm 1, and a generator that also has to please between captions."""

    recipe: Recipe

    def discriminators(self) -> Iterable[nn.Module]:
        return [Discriminator(self.recipe.model)]

    def draw(self, sentence: Tensor, rng: torch.Generator) -> Drawn:
        noise = torch.randn(len(sentence), self.net.noise_dim, generator=rng).to(self.device)
        return Drawn([self.net.generator(noise, sentence).float()], sentence)

    def tell(self, sentence: Tensor) -> Tensor:
        return sentence

    def discriminator_losses(self, pairs: Pairs) -> dict[str, Tensor]:
        """Algorithm 1, lines 7 to 10."""
        (disc,), (real,), (fake,) = self.discs, pairs.real, pairs.fake
        weight = self.recipe.cls_weight
        losses = {
            "d_real": says_real(disc(real, pairs.right).logits),
            "d_fake": (1 - weight) * says_fake(disc(fake, pairs.right).logits),
        }
        if weight:
            losses["d_wrong"] = weight * says_fake(disc(real, pairs.wrong).logits)
        return losses

    def generator_losses(
        self, drawn: Drawn, shown: list[Tensor], sentence: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """Algorithm 1, line 12, and eq. 5; -log D in place of log(1 - D)."""
        disc = self.discs[0]
        losses = {"g_cond": says_real(disc(shown[0], sentence).logits)}
        if self.recipe.lambda_int:
            beta = self.recipe.beta
            between = beta * sentence + (1 - beta) * sentence.roll(1, 0)
            picture = self.recipe.augmentation(self.draw(between, rng).pictures[0], rng)
            losses["g_int"] = self.recipe.lambda_int * says_real(disc(picture, between).logits)
        if self.recipe.lambda_seek:
            (again,) = self.draw(sentence, rng).pictures
            losses["g_seek"] = self.recipe.lambda_seek * likeness(drawn.pictures[0], again)
        return losses


def likeness(one: Tensor, other: Tensor) -> Tensor:
    """Pictures of the same captions by other noise, (B, 3, S, S) each -> how alike they are.

    The inverse of their mean absolute difference, mean over the batch.
    """
    return (1 / ((one - other).abs().mean((1, 2, 3)) + _EPS)).mean()
