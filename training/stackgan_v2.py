"""StackGAN-v2's losses.

Source: Zhang et al., TPAMI 2018, arXiv:1710.10916, eq. 10 to 12 and the colour-consistency term of
section 4.3; optimiser and weights from section 5 and the authors' code for birds.
Not from the paper: captions are read by words, but for a given reader of letters (generation.py).
Shapes: B batch, D text width, Z noise width, K width of the conditioning vector.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from models.stackgan_v2 import Config, Discriminator
from training import generation
from training.augment import Augmentation
from training.data import Sampling
from training.generation import Drawn, GenerationTrainer, Pairs
from training.losses import kl_divergence, says_fake, says_real


@dataclass(frozen=True)
class Recipe(generation.Recipe):
    """`PAPER` is the published one, `SMALL` learns on two CPU cores."""

    lambda_kl: float = 2.0  # of conditioning augmentation
    lambda_free: float = 1.0  # of the unconditional losses
    lambda_colour: float = 0.0  # of colour consistency; 50 without captions, 0 with them
    covariance: float = 5.0  # lambda_2 of colour consistency; lambda_1, of the means, is 1


PAPER = Recipe(Config(reader="words"), batch_size=24)
SMALL = Recipe(
    Config(
        reader="words",
        text_dim=256,
        word_dim=128,
        image_size=64,
        branches=2,
        cond_dim=64,
        z_dim=64,
        gen_channels=32,
        disc_channels=32,
        blocks=1,
    ),
    batch_size=32,
    lambda_kl=1.0,
    fade=0.2,
    lambda_feature=2.0,
    lambda_colour=1.0,
    augmentation=Augmentation(translation=0.125, noise=0.05),
    sampling=Sampling(colour_swaps=0.5, balance=0.5, word_dropout=0.01, shortened=0.4),
)
RECIPES = {"small": SMALL, "paper": PAPER}


class StackganV2Trainer(GenerationTrainer):
    """A discriminator a branch, and all branches of the generator at once."""

    recipe: Recipe

    def discriminators(self) -> Iterable[nn.Module]:
        cfg = self.recipe.model
        return [Discriminator(cfg, side) for side in cfg.sides]

    def draw(self, sentence: Tensor, rng: torch.Generator) -> Drawn:
        noise = torch.randn(len(sentence), self.net.noise_dim, generator=rng).to(self.device)
        pictures, drawn = self.net.generator(sentence, noise)
        pictures = [picture.float() for picture in pictures]
        cfg = self.recipe.model
        kl = kl_divergence(drawn.mu, drawn.logvar) if cfg.augments and cfg.cond_dim else None
        return Drawn(pictures, drawn.mu, kl)

    def tell(self, sentence: Tensor) -> Tensor:
        nothing = torch.zeros(len(sentence), self.recipe.model.cond_dim, device=self.device)
        return self.net.generator.condition(sentence, nothing).mu

    def discriminator_losses(self, pairs: Pairs) -> dict[str, Tensor]:
        """Eq. 11, with real pictures of other captions as a third kind, summed over branches."""
        conditional, free = [], []
        for disc, real, fake in zip(self.discs, pairs.real, pairs.fake, strict=True):
            right, made = disc(real, pairs.right), disc(fake, pairs.right)
            wrong = disc(real, pairs.wrong)
            if right.unconditional is None:  # without JCU the authors halve the two noes
                noes = (says_fake(wrong.conditional) + says_fake(made.conditional)) / 2
            else:
                noes = says_fake(wrong.conditional) + says_fake(made.conditional)
                # a picture that is real stays so under another caption
                yeses = says_real(right.unconditional) + says_real(wrong.unconditional)
                free.append(self.recipe.lambda_free * (yeses + says_fake(made.unconditional)))
            conditional.append(says_real(right.conditional) + noes)
        losses = {"d_cond": torch.stack(conditional).sum()}
        return losses | ({"d_free": torch.stack(free).sum()} if free else {})

    def generator_losses(
        self, drawn: Drawn, shown: list[Tensor], sentence: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """Eq. 12 summed over branches (eq. 10), KL and colour consistency."""
        recipe = self.recipe
        judged = [disc(s, drawn.told) for disc, s in zip(self.discs, shown, strict=True)]
        losses = {"g_cond": torch.stack([says_real(j.conditional) for j in judged]).sum()}
        free = [says_real(j.unconditional) for j in judged if j.unconditional is not None]
        if free:
            losses["g_free"] = recipe.lambda_free * torch.stack(free).sum()
        if drawn.kl is not None:
            losses["g_kl"] = recipe.lambda_kl * drawn.kl
        if recipe.lambda_colour and len(drawn.pictures) > 1:
            consistency = colour_consistency(drawn.pictures, recipe.covariance)
            losses["g_colour"] = recipe.lambda_colour * consistency
        return losses


def colour_consistency(pictures: list[Tensor], covariance: float) -> Tensor:
    """How far neighbouring sizes differ in mean colour and, times `covariance`, in its spread."""
    statistics = [_colours(picture) for picture in pictures]
    terms = [
        mse_loss(mean, before) + covariance * mse_loss(spread, spread_before)
        for (before, spread_before), (mean, spread) in pairwise(statistics)
    ]
    return torch.stack(terms).sum()


def _colours(picture: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 3, h, w) -> mean colour (B, 3) and covariance (B, 3, 3) over the pixels."""
    pixels = picture.flatten(2)
    mean = pixels.mean(2)
    centred = pixels - mean[..., None]
    return mean, centred @ centred.mT / pixels.shape[2]
