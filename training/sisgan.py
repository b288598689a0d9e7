"""SISGAN's adaptive loss and training step.

Source: Dong et al., ICCV 2017, arXiv:1707.06873, eq. 3; optimiser, weights and the KL term of
conditioning augmentation from the authors' code.
Not from the paper, and off in `PAPER`: redrawing a picture from its own caption (TAGAN's eq. 1),
the feature discriminator beside the paper's, translation of what discriminators see, captions with
a colour exchanged, objects on plain grounds and what is outside of them, objects in other colours,
a rate that fades out.
Shapes: B batch, T words, D text width, Z noise width, S image side in pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import l1_loss, softplus

from models.checkpoint import Header
from models.conditioning import Conditioning
from models.lite import load_lite
from models.sisgan import Config, Discriminator, LiteEncoder, Sisgan, scaled_for
from models.text.vse import SentenceReader
from training.adversarial import AdversarialTrainer
from training.augment import Augmentation
from training.data import Batch, CaptionedPictures, Sampling
from training.features import hinge_generator
from training.loop import Average, Part, autocast, rank, share_weights, step_generator
from training.losses import change_where, kl_divergence, miss_of_asked
from training.sheets import edits_sheet
from training.steps import adam, descend, held, scheduled, set_rate


class OtherVocabulary(ValueError):
    """The captions are numbered by other words than the text encoder's."""


class NeedsVgg16(ValueError):
    """The image encoder is VGG16, whose weights are not shipped."""


@dataclass(frozen=True)
class Recipe:
    """What is learnt and how; `PAPER` is the published one, `SMALL` learns on two CPU cores."""

    model: Config  # how captions are read is the text encoder's, whatever stands here
    batch_size: int
    lambda_kl: float = 1.0  # of conditioning augmentation against N(0, 1)
    lambda_rec: float = 0.0  # of the difference to the picture where it was asked for by itself
    lambda_outside: float = 0.0  # of what changes where the object is not (training/grounds.py)
    lambda_asked: float = 0.0  # of missing what was asked for, where known (recolouring.py)
    lambda_feature: float = 0.0  # of the feature discriminator; 0: there is none
    learning_rate: float = 2e-4
    halve_every: int | None = None  # pictures
    fade: float = 0.0  # over this last share of the steps the rate goes straight down to 0
    ema: float = 0.999
    augmentation: Augmentation = field(default_factory=Augmentation)
    sampling: Sampling = field(default_factory=Sampling)


PAPER = Recipe(Config(), batch_size=64, halve_every=100 * 6_000)
SMALL = Recipe(
    Config(
        encoder="lite0",
        cond_dim=64,
        widths=(32, 64, 128),
        blocks=3,
        disc_widths=(32, 64, 128, 256),
        disc_text_dim=64,
    ),
    batch_size=32,
    lambda_kl=0.1,
    lambda_rec=5.0,
    lambda_outside=4.0,
    lambda_feature=2.0,
    learning_rate=3e-4,
    fade=0.2,
    augmentation=Augmentation(translation=0.125, noise=0.05),
    sampling=Sampling(
        colour_swaps=0.5, balance=0.5, word_dropout=0.01, shortened=0.4, plain_grounds=0.15
    ),
)
RECIPES = {"small": SMALL, "paper": PAPER}


class SisganTrainer(AdversarialTrainer):
    """Generator and discriminator, trained in turn; the text encoder stays as it is."""

    recipe: Recipe

    def __init__(
        self,
        recipe: Recipe,
        data: CaptionedPictures,
        kept: CaptionedPictures,
        header: Header,
        *,
        text: SentenceReader,
        steps: int,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        """`kept` are pictures that are only looked at; `header` says what the export is of.

        Raises:
            OtherVocabulary: `data` numbers its words differently from `text`.
            NeedsVgg16: the recipe looks through VGG16.
        """
        if data.vocabulary != text.vocabulary:
            raise OtherVocabulary("read the captions with the vocabulary of the text encoder given")
        if recipe.model.encoder == "vgg16":
            raise NeedsVgg16("VGG16's weights are not shipped; wanted encoder 'plain' or 'lite0'")
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.kept, self.header = recipe, data, kept, header
        self.steps, self.seed = steps, seed
        self.cfg = replace(recipe.model, text=text.cfg)
        self.net = self._place(Sisgan(self.cfg, data.vocabulary))
        self.net.text.load_state_dict(text.state_dict())
        self.net.text.requires_grad_(False)
        if isinstance(encoder := self.net.generator.encoder, LiteEncoder):
            encoder.eyes.load_state_dict(load_lite("lite0").state_dict())
        self.disc = self._place(Discriminator(self.cfg))
        self.features = self._feature_discriminator(text.cfg.text_dim)
        self.disc_parameters = [*self.disc.parameters(), *self._feature_heads()]
        copy = self._place(Sisgan(self.cfg, data.vocabulary))
        self.average = Average(self.net, copy, recipe.ema)
        learnt = (p for p in self.net.generator.parameters() if p.requires_grad)
        self.opt_net = adam(learnt, recipe.learning_rate)
        self.opt_disc = adam(self.disc_parameters, recipe.learning_rate)
        share_weights(self.parts().values())

    def train_step(self, step: int) -> Mapping[str, float]:
        """One step of the discriminator, then one of the generator (both eq. 3)."""
        rate = scheduled(self.recipe, step, steps=self.steps)
        set_rate([self.opt_net, self.opt_disc], rate)
        rng = step_generator(self.seed, step)
        batch = self.data.batch(self.recipe.batch_size, seed=self.seed, step=step, rank=rank())
        batch = batch.to(self.device)
        real, matching, other = batch.image, batch.matching, batch.other
        with torch.no_grad():
            right, wrong = self.net.text(matching).sentence, self.net.text(other).sentence
        relevant = relevant_text(right, wrong)
        noise = torch.randn(len(real), self.net.noise_dim, generator=rng).to(self.device)
        with autocast(self.device):
            fake, drawn = self.net.generator(scaled_for(self.cfg.encoder, real), relevant, noise)
            shown = self.recipe.augmentation(fake, rng)
            taps = self.features.features(shown) if self.features is not None else ()
            seen = self.recipe.augmentation(real, rng)
            losses = self._discriminator_losses(seen, shown, taps, right, wrong, relevant)
        descend(self.opt_disc, losses)
        with held(self.disc_parameters):
            with autocast(self.device):
                generator_losses = self._generator_losses(batch, fake, shown, taps, drawn, relevant)
            descend(self.opt_net, generator_losses)
        self.average.update(step)
        return {name: loss.item() for name, loss in (losses | generator_losses).items()}

    def _discriminator_losses(
        self,
        real: Tensor,
        shown: Tensor,
        taps: tuple[Tensor, ...],
        right: Tensor,
        wrong: Tensor,
        relevant: Tensor,
    ) -> dict[str, Tensor]:
        """Eq. 3: the three kinds of pairs; the two negative ones count half each.

        `shown` and `taps` are of what the generator made, which does not learn from this.
        """
        looked, made = self.disc.look(real), self.disc.look(shown.detach())
        losses = {
            "d_right": softplus(-self.disc.judge(looked, right)).mean(),
            "d_wrong": softplus(self.disc.judge(looked, wrong)).mean() / 2,
            "d_fake": softplus(self.disc.judge(made, relevant)).mean() / 2,
        }
        if (judge := self.features) is not None:
            hinge = judge.loss(real, taps, right=right, wrong=wrong, asked=relevant)
            losses["d_feature"] = self.recipe.lambda_feature * hinge
        return losses

    def _generator_losses(
        self,
        batch: Batch,
        fake: Tensor,
        shown: Tensor,
        taps: tuple[Tensor, ...],
        drawn: Conditioning,
        relevant: Tensor,
    ) -> dict[str, Tensor]:
        """Eq. 3, and the KL term of conditioning augmentation."""
        recipe, real, foreign = self.recipe, batch.image, _foreign(len(fake))
        losses = {
            "g_fake": softplus(-self.disc(shown, relevant)).mean(),
            "g_kl": recipe.lambda_kl * kl_divergence(drawn.mu, drawn.logvar),
        }
        if recipe.lambda_rec:
            losses["g_rec"] = recipe.lambda_rec * l1_loss(fake[foreign:], real[foreign:])
        if recipe.lambda_outside:
            losses["g_outside"] = recipe.lambda_outside * change_where(batch.outside, real, fake)
        if recipe.lambda_asked:
            known = batch.asked[:foreign], batch.is_asked_known[:foreign]
            losses["g_asked"] = recipe.lambda_asked * miss_of_asked(*known, fake[:foreign])
        if (judge := self.features) is not None:
            (judged,) = judge(taps, relevant)
            losses["g_feature"] = recipe.lambda_feature * hinge_generator(judged)
        return losses

    def own_parts(self) -> Mapping[str, Part]:
        return {"disc": self.disc, "opt_net": self.opt_net, "opt_disc": self.opt_disc}

    def sheet(self) -> Image.Image:
        return edits_sheet(self.served(), self.kept, self.header.examples, self.device)


def relevant_text(right: Tensor, wrong: Tensor) -> Tensor:
    """What a batch is redrawn by: half of it by captions of others, half by its own.

    (B, D), (B, D) -> (B, D)
    """
    foreign = _foreign(len(right))
    return torch.cat([wrong[:foreign], right[foreign:]])


def _foreign(batch_size: int) -> int:
    """How many pictures of a batch, its first, are redrawn by captions of others."""
    return batch_size // 2
