"""TAGAN's losses and training step.

Source: Nam et al., NeurIPS 2018, arXiv:1810.11919, eq. 1, 6 and 7; optimiser and weights from
section 4 and the authors' code.
Not from the paper, and off in `PAPER`: the feature discriminator beside the paper's, translation
of what discriminators see, captions with a colour exchanged, KL of conditioning augmentation,
objects on plain grounds and what is outside of them, objects in other colours.
Shapes: B batch, T words, S image side in pixels.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss, mse_loss, pad, softplus

from models.base import System, TextFeatures
from models.checkpoint import Header
from models.conditioning import Conditioning
from models.tagan import Config, Discriminator, Judgement, Tagan
from models.text.vocabulary import PAD
from training.adversarial import AdversarialTrainer
from training.augment import Augmentation
from training.data import Batch, CaptionedPictures, Sampling
from training.features import hinge_generator
from training.loop import Average, Part, autocast, rank, share_weights, step_generator
from training.losses import change_where, kl_divergence, miss_of_asked
from training.sheets import edits_sheet
from training.steps import adam, descend, held, scheduled, set_rate
from training.warm_start import NothingFits, Taken, take
from training.word_vectors import WordVectors


@dataclass(frozen=True)
class Recipe:
    """What is learnt and how; `PAPER` is the published one, `SMALL` learns on two CPU cores."""

    model: Config
    batch_size: int
    lambda_cond: float = 10.0  # lambda_1 of eq. 6 and 7
    lambda_rec: float = 0.2  # lambda_2 of eq. 7
    rec_power: int = 2  # 1: mean absolute, 2: mean squared difference in eq. 1
    lambda_kl: float = 0.0  # of conditioning augmentation against N(0, 1)
    lambda_change: float = 0.0  # of all that changes, so that what need not stays
    lambda_outside: float = 0.0  # of what changes where the object is not (training/grounds.py)
    lambda_asked: float = 0.0  # of missing what was asked for, where known (recolouring.py)
    lambda_smooth: float = 0.0  # of what changes from pixel to pixel, against checkerboards
    lambda_feature: float = 0.0  # of the feature discriminator; 0: there is none
    own_share: float = 1.0  # share of a batch also redrawn with its own caption (eq. 1)
    learning_rate: float = 2e-4
    halve_every: int | None = None  # pictures
    fade: float = 0.0  # over this last share of the steps the rate goes straight down to 0
    ema: float = 0.999
    augmentation: Augmentation = field(default_factory=Augmentation)
    sampling: Sampling = field(default_factory=Sampling)


PAPER = Recipe(Config(), batch_size=64, halve_every=100 * 6_000)
SMALL = Recipe(
    Config(
        image_size=64,
        word_dim=128,
        text_dim=256,
        widths=(32, 64, 128),
        blocks=3,
        upsample="subpixel",
        skips=True,
        blend=True,
        disc_widths=(48, 96, 192, 256, 256),
        scores=True,
    ),
    batch_size=32,
    lambda_cond=5.0,
    lambda_rec=10.0,
    rec_power=1,
    lambda_kl=0.02,
    lambda_change=1.0,
    lambda_outside=4.0,
    lambda_smooth=2.0,
    lambda_feature=1.0,
    own_share=0.25,
    learning_rate=3e-4,
    fade=0.2,
    augmentation=Augmentation(translation=0.125, noise=0.05),
    sampling=Sampling(
        colour_swaps=0.5,
        balance=0.5,
        colour_balance=0.5,
        word_dropout=0.01,
        shortened=0.4,
        plain_grounds=0.15,
    ),
)
RECIPES = {"small": SMALL, "paper": PAPER}


class TaganTrainer(AdversarialTrainer):
    """Generator and discriminators, trained in turn."""

    recipe: Recipe

    def __init__(
        self,
        recipe: Recipe,
        data: CaptionedPictures,
        kept: CaptionedPictures,
        header: Header,
        *,
        steps: int,
        word_vectors: WordVectors | None = None,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        """`kept` are pictures that are only looked at; `header` says what the export is of.

        `word_vectors` are where words begin, in the generator and in the discriminator.
        """
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.kept, self.header = recipe, data, kept, header
        self.steps, self.seed = steps, seed
        cfg, vocabulary = replace(recipe.model, scores=False), data.vocabulary
        self.net = self._place(Tagan(cfg, vocabulary))
        self.disc = self._place(Discriminator(cfg))
        self.disc_words = self._place(nn.Embedding(len(vocabulary), cfg.word_dim, padding_idx=PAD))
        if word_vectors is not None:
            word_vectors.fill(self.net.embedding)
            word_vectors.fill(self.disc_words)
        self.features = self._feature_discriminator(cfg.text_dim)
        self.average = Average(self.net, self._place(Tagan(cfg, vocabulary)), recipe.ema)
        self.disc_parameters = [
            *self.disc.parameters(),
            *self.disc_words.parameters(),
            *self._feature_heads(),
        ]
        self.opt_net = adam(self.net.parameters(), recipe.learning_rate)
        self.opt_disc = adam(self.disc_parameters, recipe.learning_rate)
        share_weights(self.parts().values())

    def begin_with(self, trained: System) -> Taken:
        """Also with its word level, which was the discriminator's."""
        taken = super().begin_with(trained)
        if isinstance(trained, Tagan) and trained.judge is not None:
            own, known = self.header.vocabulary, trained.vocabulary
            words = trained.judge_words or trained.embedding
            with suppress(NothingFits):
                take(self.disc, own, trained.judge, known)
                take(self.disc_words, own, words, known)
        return taken

    def train_step(self, step: int) -> Mapping[str, float]:
        """One step of the discriminators (eq. 6), then one of the generator (eq. 7)."""
        rate = scheduled(self.recipe, step, steps=self.steps)
        set_rate([self.opt_net, self.opt_disc], rate)
        rng = step_generator(self.seed, step)
        batch = self.data.batch(self.recipe.batch_size, seed=self.seed, step=step, rank=rank())
        batch = batch.to(self.device)
        real, matching, other = batch.image, batch.matching, batch.other
        with self._autocast():
            edited, own, drawn = self._edit(real, matching, other, rng)
            right, wrong = self._read(matching), self._read(other)
            shown = self.recipe.augmentation(edited, rng)
            taps = self.features.features(shown) if self.features is not None else ()
            seen = self.recipe.augmentation(real, rng)
            losses = self._discriminator_losses(seen, shown, taps, right, wrong)
        descend(self.opt_disc, losses)
        frozen = TextFeatures(wrong.words.detach(), wrong.sentence.detach(), wrong.mask)
        with held(self.disc_parameters):
            with self._autocast():
                generator_losses = self._generator_losses(
                    batch, edited, shown, taps, own, drawn, frozen
                )
            descend(self.opt_net, generator_losses)
        self.average.update(step)
        return {name: loss.item() for name, loss in (losses | generator_losses).items()}

    def _edit(
        self, real: Tensor, matching: Tensor, other: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor, Conditioning]:
        """G(x, t^) of the batch and G(x, t) of its first part, in one pass."""
        again = round(len(real) * self.recipe.own_share)
        longest = max(matching.shape[1], other.shape[1])
        words = torch.cat([_padded(other, longest), _padded(matching[:again], longest)])
        noise = torch.randn(len(words), self.recipe.model.cond_dim, generator=rng).to(self.device)
        image, drawn = self.net.generator(
            torch.cat([real, real[:again]]), self.net.embedding(words), words != PAD, noise
        )
        return image[: len(real)], image[len(real) :], drawn

    def _read(self, words: Tensor) -> TextFeatures:
        return self.disc.text(self.disc_words(words), words != PAD)

    def _discriminator_losses(
        self,
        real: Tensor,
        shown: Tensor,
        taps: tuple[Tensor, ...],
        right: TextFeatures,
        wrong: TextFeatures,
    ) -> dict[str, Tensor]:
        """Eq. 6; fakes are not shown to the conditional part, as in the paper.

        `shown` and `taps` are of what the generator made, which does not learn from this.
        """
        recipe = self.recipe
        on_real, vectors = self.disc.look(real)
        on_fake, _ = self.disc.look(shown.detach())
        matches, mismatches = self.disc.match(vectors, right), self.disc.match(vectors, wrong)
        losses = {
            "d_real": (softplus(-on_real).mean() + softplus(on_fake).mean()) / 2,
            "d_cond": recipe.lambda_cond * (says_yes(matches) + says_no(mismatches)) / 2,
        }
        if self.features is not None:
            hinge = self.features.loss(
                real, taps, right=right.sentence, wrong=wrong.sentence, asked=wrong.sentence
            )
            losses["d_feature"] = recipe.lambda_feature * hinge
        return losses

    def _generator_losses(
        self,
        batch: Batch,
        edited: Tensor,
        shown: Tensor,
        taps: tuple[Tensor, ...],
        own: Tensor,
        drawn: Conditioning,
        asked: TextFeatures,
    ) -> dict[str, Tensor]:
        """Eq. 7."""
        recipe, real = self.recipe, batch.image
        distance = l1_loss if recipe.rec_power == 1 else mse_loss
        losses = {"g_rec": recipe.lambda_rec * distance(own, real[: len(own)])}  # eq. 1
        if recipe.lambda_change:
            losses["g_change"] = recipe.lambda_change * l1_loss(edited, real)
        if recipe.lambda_outside:
            losses["g_outside"] = recipe.lambda_outside * change_where(batch.outside, real, edited)
        if recipe.lambda_asked:
            miss = miss_of_asked(batch.asked, batch.is_asked_known, edited)
            losses["g_asked"] = recipe.lambda_asked * miss
        if recipe.lambda_smooth:
            losses["g_smooth"] = recipe.lambda_smooth * _roughness(edited - real)
        logits, vectors = self.disc.look(shown)
        losses["g_real"] = binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
        losses["g_cond"] = recipe.lambda_cond * says_yes(self.disc.match(vectors, asked))
        if self.features is not None:
            (judged,) = self.features(taps, asked.sentence)
            losses["g_feature"] = recipe.lambda_feature * hinge_generator(judged)
        if recipe.lambda_kl:
            losses["g_kl"] = recipe.lambda_kl * kl_divergence(drawn.mu, drawn.logvar)
        return losses

    def _autocast(self) -> AbstractContextManager[None]:
        return autocast(self.device)

    def own_parts(self) -> Mapping[str, Part]:
        return {
            "disc": self.disc,
            "disc_words": self.disc_words,
            "opt_net": self.opt_net,
            "opt_disc": self.opt_disc,
        }

    def sheet(self) -> Image.Image:
        """By the averaged generator alone: scores of words don't show."""
        return edits_sheet(super().served(), self.kept, self.header.examples, self.device)

    def served(self) -> Tagan:
        """The averaged generator, with the discriminator's word level if the recipe has scores."""
        system = Tagan(self.recipe.model, self.data.vocabulary)
        net: Any = super().served()
        system.embedding.load_state_dict(net.embedding.state_dict())
        system.generator.load_state_dict(net.generator.state_dict())
        if system.judge is not None and system.judge_words is not None:
            system.judge.take(self.disc)
            system.judge_words.load_state_dict(self.disc_words.state_dict())
        return system


def says_yes(judged: Judgement) -> Tensor:
    """-log D(x, t), mean over the batch."""
    return -judged.log_match.mean()


def says_no(judged: Judgement) -> Tensor:
    """-log(1 - D(x, t)), mean over the batch."""
    return -torch.log1p(-judged.log_match.exp().clamp(max=1 - 1e-6)).mean()


def _roughness(change: Tensor) -> Tensor:
    """Mean absolute second difference of (B, 3, S, S) along both sides."""
    return change.diff(n=2, dim=2).abs().mean() + change.diff(n=2, dim=3).abs().mean()


def _padded(words: Tensor, length: int) -> Tensor:
    return pad(words, (0, length - words.shape[1]), value=PAD)
