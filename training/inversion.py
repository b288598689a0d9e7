"""The domain-guided encoder's losses: it learns to find photos again in a generator that stays.

Source: Zhu et al., ECCV 2020, arXiv:2004.00049, eq. 4 and 5; optimiser and weights from section 4
and the authors' code, where both losses of eq. 5 are the logistic ones, as they are here.
Not from the paper, whose generator knows no words: the sentence that the encoder reads off a photo
is drawn to that of its caption, so that a new caption can take its place, and in `SMALL` the shift
is held small and pictures redrawn by another caption are judged with it.
Shapes: B batch, D text width, S image side in pixels.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import softplus

from models.base import System, TextFeatures
from models.checkpoint import Header
from models.inversion import TAPS, Code, Config, Discriminator, Inversion
from models.lite import load_lite
from training.adversarial import AdversarialTrainer
from training.augment import Augmentation
from training.data import CaptionedPictures, Sampling
from training.features import hinge_generator
from training.loop import Average, Part, autocast, rank, share_weights, step_generator
from training.sheets import row, sheet
from training.steps import adam, descend, faded, held, set_rate

_SHEET_COLUMNS = 8
_CAPTIONS = 64  # that are read to see how large sentences are
_FIRST_SHIFT = 0.1  # deviation of the shift before training: the generator nearly as it is


@dataclass(frozen=True)
class Recipe:
    """How it is learnt; `PAPER` is the published one, `SMALL` learns on two CPU cores."""

    model: Config  # but for the generator, which is given trained
    batch_size: int
    lambda_adv: float = 0.1  # of eq. 4
    gamma: float = 10.0  # of eq. 5, on the discriminator's gradients at photos
    lambda_sentence: float = 1.0  # of the sentence's distance from the caption's
    lambda_shift: float = 0.0  # of the shift's size, so that noise and words do what they can
    lambda_feature: float = 0.0  # of the judge of redrawn pictures; 0: there is none
    learning_rate: float = 1e-4
    fade: float = 0.0  # over this last share of the steps the rate goes straight down to 0
    ema: float = 0.999
    augmentation: Augmentation = field(default_factory=Augmentation)  # before judges
    sampling: Sampling = field(default_factory=Sampling)


PAPER = Recipe(Config(), batch_size=16)
SMALL = Recipe(
    Config(channels=32, most_channels=128, disc_channels=32, steps=12, rate=0.05),
    batch_size=16,
    lambda_shift=0.05,
    lambda_feature=0.1,
    learning_rate=5e-4,
    fade=0.2,
    augmentation=Augmentation(translation=0.125, noise=0.05),
    sampling=Sampling(colour_swaps=0.5, balance=0.5, colour_balance=0.5, shortened=0.4),
)
RECIPES = {"small": SMALL, "paper": PAPER}


class InversionTrainer(AdversarialTrainer):
    """Encoder and discriminators in turn, with the frozen generator between them."""

    recipe: Recipe

    def __init__(
        self,
        recipe: Recipe,
        data: CaptionedPictures,
        kept: CaptionedPictures,
        header: Header,
        *,
        generator: str,
        trained: System,
        steps: int,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        """`generator` is the name of the system that `trained` is; `kept` are only looked at.

        Raises:
            NotInvertible: it does not draw from a code.
        """
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.kept, self.header = recipe, data, kept, header
        self.steps, self.seed = steps, seed
        self.cfg = replace(recipe.model, generator=generator, generator_config=asdict(trained.cfg))
        self.net = self._system(trained)
        self._begin()
        self.disc = self._place(Discriminator(self.cfg))
        self.features = self._feature_discriminator(trained.cfg.text_dim)
        self.average = Average(self.net, self._system(trained), recipe.ema)
        self.learnt = [*self.net.encoder.parameters(), *self.net.to_shift.parameters()]
        self.optimizers = {
            "encoder": adam(self.learnt, recipe.learning_rate),
            "discs": adam(self._disc_parameters(), recipe.learning_rate),
        }
        share_weights(self.parts().values())

    def _system(self, trained: System) -> Inversion:
        """With the trained generator and Lite0, which stay, and a fresh encoder."""
        system = Inversion(self.cfg, trained.vocabulary)
        system.generator.load_state_dict(trained.state_dict())
        system.eyes.load_state_dict(load_lite("lite0", taps=TAPS).state_dict())
        system.generator.eval().requires_grad_(False)
        return self._place(system)

    @torch.no_grad()
    def _begin(self) -> None:
        """Let the encoder's last normalisations give numbers of the size that codes have."""
        captions, _ = self.data.captions(_CAPTIONS, seed=self.seed, step=0)
        sentence = self.net.encode_text(captions).sentence
        numbers: Any = self.net.encoder.last[1]
        numbers.weight[-sentence.shape[1] :] = sentence.std(0)
        numbers.bias[-sentence.shape[1] :] = sentence.mean(0)
        shift: Any = self.net.to_shift[1]
        shift.weight.fill_(_FIRST_SHIFT)

    def train_step(self, step: int) -> Mapping[str, float]:
        """One step of the discriminators (eq. 5), then one of the encoder (eq. 4)."""
        self._schedule(step)
        rng = step_generator(self.seed, step)
        place = {"seed": self.seed, "step": step, "rank": rank()}
        real = self.data.batch(self.recipe.batch_size, **place).image.to(self.device)
        with torch.no_grad():
            right, wrong = map(
                self.net.encode_text, self.data.captions(self.recipe.batch_size, **place)
            )
        with autocast(self.device):
            code = self.net.encode(real)
            drawn, taps = self.net.draw(code), self._edit(code, wrong, rng)
            judged = self._judge(real, drawn, taps, right, wrong, rng)
        judged["d_slope"] = self.recipe.gamma / 2 * self._slope(real)
        descend(self.optimizers["discs"], judged)
        with held(self._disc_parameters()):
            with autocast(self.device):
                found = self._find(real, code, drawn, taps, right, wrong, rng)
            descend(self.optimizers["encoder"], found)
        self.average.update(step)
        return {name: loss.item() for name, loss in (judged | found).items()}

    def _edit(self, code: Code, text: TextFeatures, rng: torch.Generator) -> tuple[Tensor, ...]:
        """What the feature discriminator, if any, sees of pictures redrawn by other captions."""
        if self.features is None:
            return ()
        return self.features.features(self.recipe.augmentation(self.net.draw(code, text), rng))

    def _judge(
        self,
        real: Tensor,
        drawn: Tensor,
        taps: tuple[Tensor, ...],
        right: TextFeatures,
        wrong: TextFeatures,
        rng: torch.Generator,
    ) -> dict[str, Tensor]:
        """Eq. 5 but for its last term; edits are shown to the feature discriminator alone."""
        change = self.recipe.augmentation
        on_real, on_drawn = self.disc(change(real, rng)), self.disc(change(drawn.detach(), rng))
        losses = {"d_real": (softplus(-on_real) + softplus(on_drawn)).float().mean()}
        if self.features is not None:
            seen, asked = change(real, rng), wrong.sentence
            hinge = self.features.loss(seen, taps, right=right.sentence, wrong=asked, asked=asked)
            losses["d_feature"] = self.recipe.lambda_feature * hinge
        return losses

    def _slope(self, real: Tensor) -> Tensor:
        """Squared length of the discriminator's gradient at photos, mean over the batch."""
        image = real.detach().requires_grad_()
        [slope] = torch.autograd.grad(self.disc(image).sum(), [image], create_graph=True)
        return (slope**2).sum((1, 2, 3)).mean()

    def _find(
        self,
        real: Tensor,
        code: Code,
        drawn: Tensor,
        taps: tuple[Tensor, ...],
        right: TextFeatures,
        wrong: TextFeatures,
        rng: torch.Generator,
    ) -> dict[str, Tensor]:
        """Eq. 4, and what makes the sentence a caption's."""
        recipe, sentence = self.recipe, right.sentence
        with torch.no_grad():
            seen = self.net.look(real)
        likes = softplus(-self.disc(recipe.augmentation(drawn, rng)))
        off = ((code.sentence - sentence) ** 2).mean() / (sentence**2).mean()
        losses = {
            "e_rec": self.net.distance(real, seen, drawn).mean(),
            "e_adv": recipe.lambda_adv * likes.float().mean(),
            "e_sentence": recipe.lambda_sentence * off,
        }
        if recipe.lambda_shift:
            losses["e_shift"] = recipe.lambda_shift * (code.shift**2).mean()
        if self.features is not None:
            (judged,) = self.features(taps, wrong.sentence)
            losses["e_feature"] = recipe.lambda_feature * hinge_generator(judged)
        return losses

    def _schedule(self, step: int) -> None:
        recipe = self.recipe
        rate = faded(recipe.learning_rate, step, steps=self.steps, fade=recipe.fade)
        set_rate(self.optimizers.values(), rate)

    def _disc_parameters(self) -> list[nn.Parameter]:
        return [*self.disc.parameters(), *self._feature_heads()]

    def own_parts(self) -> Mapping[str, Part]:
        return {"disc": self.disc, **{f"opt_{name}": o for name, o in self.optimizers.items()}}

    @torch.inference_mode()
    def sheet(self) -> Image.Image:
        """Kept pictures, as E finds them, as eq. 6 does, then by each of the header's examples."""
        chosen = self.kept.spread(_SHEET_COLUMNS)
        source = self.kept.centres(chosen).to(self.device)
        net = self.served()
        prepared, noise = net.prepare(source), torch.zeros(len(chosen), 0, device=self.device)
        rows = [row(source), row(net.draw(net.encode(source))), row(prepared.features[-1])]
        for caption in self.header.examples:
            text = net.encode_text([caption] * len(chosen))
            rows.append(row(net.manipulate(prepared, text, noise).image))
        return sheet(rows, ["photo", "by E", "after optimisation", *self.header.examples])

    def served(self) -> Inversion:
        net = self.average.copy
        assert isinstance(net, Inversion)
        return net
