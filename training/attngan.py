"""AttnGAN's losses and training step.

Source: Xu et al., CVPR 2018, arXiv:1711.10485, eq. 3 to 6; optimiser and weights from section 4
and the authors' code, whose discriminators also see real pictures with another's caption.
Not from the paper, and off in `PAPER`: the feature discriminator beside the paper's, translation
of what discriminators see, captions with a colour exchanged, a rate that fades out.
Shapes: B batch, T words, S image side in pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from PIL import Image
from torch import Tensor, nn

from models.attngan import Attngan, Config, Discriminator, Drawing
from models.base import TextFeatures
from models.checkpoint import Header
from models.damsm import BIRDS, Damsm, Gammas, ImageFeatures, LiteTrunk, damsm_losses
from training.adversarial import AdversarialTrainer
from training.augment import Augmentation
from training.data import CaptionedPictures, Sampling
from training.features import hinge_generator
from training.loop import Average, Part, autocast, rank, share_weights, step_generator
from training.losses import kl_divergence, says_fake, says_real
from training.sheets import drawings_sheet
from training.steps import adam, descend, faded, held, set_rate, shrunk


class OtherVocabulary(ValueError):
    """The captions are numbered by other words than the text encoder's."""


@dataclass(frozen=True)
class Recipe:
    """What is learnt and how; `PAPER` is the published one, `SMALL` learns on two CPU cores."""

    model: Config  # the text encoder's sizes are DAMSM's, whatever stands here
    batch_size: int
    gammas: Gammas = BIRDS
    lambda_damsm: float = 5.0  # lambda of eq. 3; 0: without DAMSM
    lambda_kl: float = 1.0  # of conditioning augmentation against N(0, 1)
    lambda_feature: float = 0.0  # of the feature discriminator; 0: there is none
    learning_rate: float = 2e-4
    fade: float = 0.0  # share of the steps, at the end, over which the rate goes down to 0
    ema: float = 0.999
    augmentation: Augmentation = field(default_factory=Augmentation)
    sampling: Sampling = field(default_factory=Sampling)


PAPER = Recipe(Config(), batch_size=20)
SMALL = Recipe(
    Config(
        image_size=64,
        stages=2,
        cond_dim=64,
        z_dim=64,
        blocks=1,
        upsample="subpixel",
        disc_width=32,
    ),
    batch_size=32,
    lambda_damsm=0.25,  # its gradient is tenfold that of all the discriminators together
    lambda_feature=2.0,
    learning_rate=3e-4,
    fade=0.2,
    augmentation=Augmentation(translation=0.125, noise=0.05),
    sampling=Sampling(colour_swaps=0.5, balance=0.5, word_dropout=0.01, shortened=0.2),
)
RECIPES = {"small": SMALL, "paper": PAPER}


class AttnganTrainer(AdversarialTrainer):
    """The generator and a discriminator for each stage, trained in turn; encoders stay."""

    recipe: Recipe

    def __init__(
        self,
        recipe: Recipe,
        data: CaptionedPictures,
        kept: CaptionedPictures,
        header: Header,
        *,
        damsm: Damsm,
        steps: int,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        """`kept` are pictures that are only looked at; `header` says what the export is of.

        Raises:
            OtherVocabulary: `data` numbers its words differently from `damsm`.
        """
        if data.vocabulary != damsm.vocabulary:
            raise OtherVocabulary("read the captions with the vocabulary of the DAMSM given")
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.kept, self.header = recipe, data, kept, header
        self.steps, self.seed = steps, seed
        self.damsm = self._place(damsm.eval().requires_grad_(False))
        self.cfg = replace(recipe.model, word_dim=damsm.cfg.word_dim, text_dim=damsm.cfg.text_dim)
        self.net = self._place(Attngan(self.cfg, data.vocabulary))
        self.net.text.load_state_dict(damsm.text.state_dict())
        self.net.text.requires_grad_(False)
        self.discs = [self._place(Discriminator(self.cfg, side)) for side in self.cfg.painted]
        self.features = self._feature_discriminator(self.cfg.text_dim, side=None)
        copy = self._place(Attngan(self.cfg, data.vocabulary))
        self.average = Average(self.net, copy, recipe.ema)
        self.disc_parameters = [p for disc in self.discs for p in disc.parameters()]
        self.disc_parameters += self._feature_heads()
        self.opt_net = adam(self.net.generator.parameters(), recipe.learning_rate)
        self.opt_disc = adam(self.disc_parameters, recipe.learning_rate)
        share_weights(self.parts().values())

    def train_step(self, step: int) -> Mapping[str, float]:
        """One step of the discriminators (eq. 5), then one of the generator (eq. 3)."""
        set_rate([self.opt_net, self.opt_disc], self._rate(step))
        rng = step_generator(self.seed, step)
        which = {"seed": self.seed, "step": step, "rank": rank()}
        batch = self.data.batch(self.recipe.batch_size, **which)
        labels = self.data.labels(self.recipe.batch_size, **which).to(self.device)
        real, matching, other, *_ = batch.to(self.device)
        with torch.no_grad():
            right, wrong = self.net.text(matching), self.net.text(other)
        noise = torch.randn(len(real), self.net.noise_dim, generator=rng).to(self.device)
        with autocast(self.device):
            drawing = self.net.draw(right, noise)
            shown = [self.recipe.augmentation(image, rng) for image in drawing.images]
            taps = self._taps(shown[-1])
            losses = self._discriminator_losses(real, shown, taps, right, wrong, rng)
        descend(self.opt_disc, losses)
        with held(self.disc_parameters):
            with autocast(self.device):
                generator_losses = self._generator_losses(drawing, shown, taps, right, labels)
            descend(self.opt_net, generator_losses)
        self.average.update(step)
        return {name: loss.item() for name, loss in (losses | generator_losses).items()}

    def _taps(self, image: Tensor) -> tuple[Tensor, ...]:
        """What the feature discriminator sees of (B, 3, S, S); nothing if there is none.

        Pictures are enlarged as DAMSM's image encoder enlarges them, so that where it has the
        same trunk, both are served by one pass.
        """
        if self.features is None:
            return ()
        return self.features.features(self.damsm.image.resized(image))

    def _discriminator_losses(
        self,
        real: Tensor,
        shown: list[Tensor],
        taps: tuple[Tensor, ...],
        right: TextFeatures,
        wrong: TextFeatures,
        rng: torch.Generator,
    ) -> dict[str, Tensor]:
        """Eq. 5 for each stage, with mismatching captions as a third kind of fake.

        `shown` and `taps` are of what the generator made, which does not learn from this.
        """
        recipe, losses = self.recipe, {}
        for disc, side, fake in zip(self.discs, self.cfg.painted, shown, strict=True):
            seen = disc.look(recipe.augmentation(shrunk(real, side), rng))
            made = disc.look(fake.detach())
            yes = says_real(disc.real(seen)) + says_real(disc.match(seen, right.sentence))
            no = says_fake(disc.real(made)) + says_fake(disc.match(made, right.sentence))
            no = no + says_fake(disc.match(seen, wrong.sentence))
            losses[f"d_{side}"] = yes / 2 + no / 3  # weighted as in the authors' code
        if self.features is not None:
            seen = self.damsm.image.resized(recipe.augmentation(real, rng))
            sentence = right.sentence
            hinge = self.features.loss(
                seen, taps, right=sentence, wrong=wrong.sentence, asked=sentence
            )
            losses["d_feature"] = recipe.lambda_feature * hinge
        return losses

    def _generator_losses(
        self,
        drawing: Drawing,
        shown: list[Tensor],
        taps: tuple[Tensor, ...],
        asked: TextFeatures,
        labels: Tensor,
    ) -> dict[str, Tensor]:
        """Eq. 3, and the KL term of conditioning augmentation."""
        recipe, losses = self.recipe, {}
        for disc, side, fake in zip(self.discs, self.cfg.painted, shown, strict=True):
            made = disc.look(fake)
            judged = says_real(disc.real(made)) + says_real(disc.match(made, asked.sentence))
            losses[f"g_{side}"] = judged  # eq. 4
        if recipe.lambda_damsm:
            fit = damsm_losses(self._read(drawing.images[-1], taps), asked, labels, recipe.gammas)
            losses["g_damsm"] = recipe.lambda_damsm * fit.total()
        if self.cfg.augments:
            losses["g_kl"] = recipe.lambda_kl * kl_divergence(
                drawing.conditioning.mu, drawing.conditioning.logvar
            )
        if self.features is not None:
            (judged,) = self.features(taps, asked.sentence)
            losses["g_feature"] = recipe.lambda_feature * hinge_generator(judged)
        return losses

    def _read(self, image: Tensor, taps: tuple[Tensor, ...]) -> ImageFeatures:
        """DAMSM's look at a picture, through what was seen of it already if that will do."""
        encoder = self.damsm.image
        if taps and isinstance(encoder.trunk, LiteTrunk):
            return encoder.project(*encoder.trunk.join(taps))
        return encoder(image)

    def _rate(self, step: int) -> float:
        recipe = self.recipe
        return faded(recipe.learning_rate, step, steps=self.steps, fade=recipe.fade)

    def own_parts(self) -> Mapping[str, Part]:
        discs = nn.ModuleList(self.discs)
        return {"discs": discs, "opt_net": self.opt_net, "opt_disc": self.opt_disc}

    def sheet(self) -> Image.Image:
        net, examples = self.served(), self.header.examples
        return drawings_sheet(net, self.kept, examples, self.device, seed=self.seed)
