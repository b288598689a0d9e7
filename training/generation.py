"""What the trainers of systems that make pictures from words share: everything but the losses.

The papers' text encoders are trained beforehand, by the joint embedding, and not by the GAN. Here
one that was is taken as it is; without one the same is done in the same steps. Either way the GAN
sees captions' vectors that it can't change.
Shapes: B batch, D text width, Z noise width, K width of what discriminators are told, S image side.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn

from models.checkpoint import Header
from models.lite import load_lite
from models.text.captions import TrainedReader
from training.adversarial import AdversarialTrainer
from training.augment import Augmentation
from training.data import Batch, CaptionedPictures, Sampling
from training.features import hinge_generator
from training.joint_embedding import (
    ImageSide,
    OtherReading,
    joint_embedding_loss,
    same_captions,
)
from training.loop import (
    Average,
    Part,
    autocast,
    rank,
    share_weights,
    step_generator,
)
from training.sheets import drawings_sheet
from training.steps import adam, descend, held, scheduled, set_rate, shrunk


@dataclass(frozen=True)
class Recipe:
    """What is learnt and how, of any of these systems."""

    model: Any  # the system's Config
    batch_size: int
    learning_rate: float = 2e-4
    reader_rate: float = 1e-3  # learning rate of the text encoder
    halve_every: int | None = None  # pictures
    fade: float = 0.0  # over this last share of the steps the rate goes straight down to 0
    lambda_feature: float = 0.0  # of the feature discriminator, not from the papers; 0: none
    ema: float = 0.999
    augmentation: Augmentation = field(default_factory=Augmentation)
    sampling: Sampling = field(default_factory=Sampling)


class Drawn(NamedTuple):
    """What the generator made of a batch."""

    pictures: list[Tensor]  # one size or several, (B, 3, side, side), smallest first
    told: Tensor  # (B, K), what discriminators are told of the captions
    kl: Tensor | None = None  # of conditioning augmentation against N(0, 1), mean


class Pairs(NamedTuple):
    """What discriminators are shown, smallest picture first."""

    real: list[Tensor]
    fake: list[Tensor]
    right: Tensor  # (B, K), of captions that fit
    wrong: Tensor  # (B, K), of captions that don't


class GenerationTrainer(AdversarialTrainer):
    """Text encoder, discriminators and generator, one step of each in turn."""

    recipe: Recipe

    def __init__(
        self,
        recipe: Recipe,
        data: CaptionedPictures,
        kept: CaptionedPictures,
        header: Header,
        *,
        steps: int,
        text: TrainedReader | None = None,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        """`kept` are pictures that are only looked at; `header` says what the export is of.

        `text` is a trained text encoder, of the kind and sizes that the recipe's model has.

        Raises:
            OtherReading: `data` gives captions otherwise than the text encoder reads them.
        """
        if data.by_characters != recipe.model.by_characters:
            raise OtherReading(f"reader={recipe.model.reader!r}; the captions are given otherwise")
        if not data.by_characters and data.vocabulary != header.vocabulary:
            raise OtherReading("the captions are numbered by other words than the header's")
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.kept, self.header = recipe, data, kept, header
        self.steps, self.seed = steps, seed
        module: Any = header.spec.module()
        self.net = self._place(module.SYSTEM(recipe.model, header.vocabulary))
        if text is not None:
            self.net.reader.load_state_dict(text.encoder.state_dict())
            self.net.reader.requires_grad_(False)
        self.discs = self._place(nn.ModuleList(self.discriminators()))
        self.image_side = self._place(ImageSide(load_lite("lite0"), recipe.model.text_dim))
        self.features = self._feature_discriminator(recipe.model.text_dim)
        copy = self._place(module.SYSTEM(recipe.model, header.vocabulary))
        self.average = Average(self.net, copy, recipe.ema)
        self.prepare()
        self.optimizers = {
            "reader": adam(self._reader_parameters(), recipe.reader_rate),
            "discs": adam(self._disc_parameters(), recipe.learning_rate),
            "generator": adam(self.generator_parameters(), recipe.learning_rate),
        }
        share_weights(self.parts().values())

    @abstractmethod
    def discriminators(self) -> Iterable[nn.Module]:
        """One for each size of picture."""

    @abstractmethod
    def draw(self, sentence: Tensor, rng: torch.Generator) -> Drawn:
        """(B, D) -> pictures, by noise from `rng`."""

    @abstractmethod
    def tell(self, sentence: Tensor) -> Tensor:
        """(B, D) -> (B, K), what discriminators are told of captions."""

    @abstractmethod
    def discriminator_losses(self, pairs: Pairs) -> dict[str, Tensor]:
        """What the paper's discriminators lower."""

    @abstractmethod
    def generator_losses(
        self, drawn: Drawn, shown: list[Tensor], sentence: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """What the paper's generator lowers; `shown` are its pictures as discriminators see them.

        `sentence` are the batch's captions, (B, D).
        """

    def prepare(self) -> None:
        """Called once when the networks are there, before their optimisers are made."""

    def generator_parameters(self) -> list[nn.Parameter]:
        return list(self.net.generator.parameters())

    def train_step(self, step: int) -> Mapping[str, float]:
        self._schedule(step)
        rng = step_generator(self.seed, step)
        batch = self.data.batch(self.recipe.batch_size, seed=self.seed, step=step, rank=rank())
        batch = batch.to(self.device)
        losses, sentence, other = self._learn_to_read(batch)
        with autocast(self.device):
            drawn = self.draw(sentence, rng)
            shown = [self.recipe.augmentation(picture, rng) for picture in drawn.pictures]
            taps = self.features.features(shown[-1]) if self.features is not None else ()
            pairs = self._pairs(batch.image, drawn, shown, other, rng)
            judged = self._judge(pairs, taps, sentence, other)
        descend(self.optimizers["discs"], judged)
        with held(self._disc_parameters()):
            with autocast(self.device):  # a new one: the last has the discriminators as they were
                made = self._please(drawn, shown, taps, sentence, rng)
            descend(self.optimizers["generator"], made)
        self.average.update(step)
        return {name: loss.item() for name, loss in (losses | judged | made).items()}

    def _learn_to_read(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """One step of the text encoder; then the captions that fit and the others, (B, D) each."""
        text = self.net.reader(batch.matching)
        losses = {}
        if text.sentence.requires_grad:
            alike = same_captions(batch.matching)
            pictures = self.image_side(batch.image)
            losses["joint"] = joint_embedding_loss(pictures, text.sentence, alike)
            descend(self.optimizers["reader"], losses)
        with torch.no_grad():
            other = self.net.reader(batch.other).sentence
        return losses, text.sentence.detach(), other

    @torch.no_grad()
    def _pairs(
        self,
        image: Tensor,
        drawn: Drawn,
        shown: list[Tensor],
        other: Tensor,
        rng: torch.Generator,
    ) -> Pairs:
        real = [self.recipe.augmentation(shrunk(image, s.shape[-1]), rng) for s in shown]
        fake = [picture.detach() for picture in shown]
        return Pairs(real, fake, drawn.told.detach(), self.tell(other))

    def _judge(
        self, pairs: Pairs, taps: tuple[Tensor, ...], sentence: Tensor, other: Tensor
    ) -> dict[str, Tensor]:
        """The discriminators' losses; `taps` are of the fakes."""
        losses = self.discriminator_losses(pairs)
        if (judge := self.features) is not None:
            hinge = judge.loss(pairs.real[-1], taps, right=sentence, wrong=other, asked=sentence)
            losses["d_feature"] = self.recipe.lambda_feature * hinge
        return losses

    def _please(
        self,
        drawn: Drawn,
        shown: list[Tensor],
        taps: tuple[Tensor, ...],
        sentence: Tensor,
        rng: torch.Generator,
    ) -> dict[str, Tensor]:
        """The generator's losses; `shown` is what discriminators saw of `drawn`."""
        losses = self.generator_losses(drawn, shown, sentence, rng)
        if self.features is not None:
            (judged,) = self.features(taps, sentence)
            losses["g_feature"] = self.recipe.lambda_feature * hinge_generator(judged)
        return losses

    def _schedule(self, step: int) -> None:
        """Set the networks' learning rate for this step; that of the text encoder stays."""
        rate = scheduled(self.recipe, step, steps=self.steps)
        set_rate((self.optimizers["discs"], self.optimizers["generator"]), rate)

    def _reader_parameters(self) -> list[nn.Parameter]:
        return [*self.net.reader.parameters(), *self.image_side.project.parameters()]

    def _disc_parameters(self) -> list[nn.Parameter]:
        return [*self.discs.parameters(), *self._feature_heads()]

    def own_parts(self) -> Mapping[str, Part]:
        return {
            "discs": self.discs,
            "image_side": self.image_side.project,
            **{f"opt_{name}": opt for name, opt in self.optimizers.items()},
        }

    def sheet(self) -> Image.Image:
        net, examples = self.served(), self.header.examples
        return drawings_sheet(net, self.kept, examples, self.device, seed=self.seed)
