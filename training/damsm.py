"""DAMSM's encoders, trained on pictures and captions before AttnGAN is.

Source: Xu et al., "AttnGAN", CVPR 2018, arXiv:1711.10485, section 3.2; optimiser, schedule and
gammas from the authors' code for birds.
Not from the paper: the image encoder's frozen trunk keeps its normalisation statistics; `SMALL`
looks through EfficientNet-Lite0.
Shapes: B batch, T words, D text width, S image side in pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from models.damsm import (
    BIRDS,
    Config,
    Damsm,
    Gammas,
    ImageFeatures,
    damsm_losses,
    save_damsm,
    word_attention,
    word_scores,
)
from models.inception import Inception
from models.layers import channels_last
from models.text.rows import word_rows
from models.text.vocabulary import tokenize
from training.data import CaptionedPictures, Sampling
from training.loop import Part, Trainer, autocast, rank, share_weights, step_generator
from training.sheets import row, sheet
from training.steps import adam, descend, set_rate
from training.word_vectors import WordVectors

FILE = "damsm.safetensors"  # what a run's folder holds the encoders in
MEASURE_EVERY = 50  # steps

_KEPT = 64  # pictures that the accuracy is measured on
_LOWEST_RATE = 0.1  # of the first learning rate
_SHEET_ROWS = 6
_SHEET_WORDS = 9


class NeedsInception(ValueError):
    """The image encoder is Inception-v3, whose weights are not shipped."""


@dataclass(frozen=True)
class Recipe:
    """What is learnt and how; `PAPER` is the published one, `SMALL` learns on two CPU cores."""

    model: Config
    image_size: int  # S that pictures are shown at; the image encoder enlarges them to its own
    batch_size: int = 48
    gammas: Gammas = BIRDS
    dropout: float = 0.5  # of word vectors
    learning_rate: float = 2e-3
    decay: float = 0.98  # of the learning rate, each time all pictures were seen, down to a tenth
    clip: float = 0.25  # length of the text encoder's gradient at most
    sampling: Sampling = field(default_factory=Sampling)


PAPER = Recipe(Config(), image_size=299)
SMALL = Recipe(
    Config(word_dim=128, text_dim=128, image_encoder="lite0"),
    image_size=64,
    sampling=Sampling(balance=0.5, word_dropout=0.01, shortened=0.2),
)
RECIPES = {"small": SMALL, "paper": PAPER}


class DamsmTrainer(Trainer):
    """Text encoder and the image encoder's own layers, together."""

    def __init__(
        self,
        recipe: Recipe,
        data: CaptionedPictures,
        kept: CaptionedPictures,
        *,
        inception: Inception | None = None,
        word_vectors: WordVectors | None = None,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        """`kept` are pictures that are only looked at; `word_vectors` are where words begin.

        Raises:
            NeedsInception: the recipe looks through Inception-v3, and none is given.
        """
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.kept, self.seed = recipe, data, kept, seed
        damsm = Damsm(recipe.model, data.vocabulary)
        if word_vectors is not None:
            word_vectors.fill(damsm.text.embedding)
        if recipe.model.image_encoder == "inception":
            if inception is None:
                raise NeedsInception("this recipe looks through Inception-v3; give its weights")
            damsm.image.trunk = inception
        self.damsm = channels_last(damsm.to(self.device))
        self.optimizer = adam(self.damsm.trained_parameters(), recipe.learning_rate)
        share_weights(self.parts().values())

    def train_step(self, step: int) -> Mapping[str, float]:
        """One step down eq. 14; now and then, how often a kept picture finds its caption."""
        recipe = self.recipe
        set_rate([self.optimizer], self._rate(step))
        which = {"seed": self.seed, "step": step, "rank": rank()}
        batch = self.data.batch(recipe.batch_size, **which)
        labels = self.data.labels(recipe.batch_size, **which).to(self.device)
        text = self.damsm.text(
            batch.matching.to(self.device),
            dropout=recipe.dropout,
            rng=step_generator(self.seed, step),
        )
        losses = damsm_losses(self._look(batch.image), text, labels, recipe.gammas)._asdict()
        descend(self.optimizer, losses, clip=(list(self.damsm.text.parameters()), recipe.clip))
        row = {name: loss.item() for name, loss in losses.items()}
        if (step + 1) % MEASURE_EVERY == 0:
            row["kept_accuracy"] = self.accuracy()
        return row

    @torch.no_grad()
    def accuracy(self) -> float:
        """Share of kept pictures to which no other class's caption is nearer, in [0, 1]."""
        chosen, image, index = self._looked_at(_KEPT)
        labels = self.kept.class_numbers[chosen].to(self.device)
        regions = self._look(image).regions
        nearest = word_scores(regions, self.damsm.text(index), self.recipe.gammas).argmax(1)
        return (labels[nearest] == labels).float().mean().item()

    def _looked_at(self, most: int) -> tuple[list[int], Tensor, Tensor]:
        """Kept pictures spread over the classes: which, (B, 3, S, S), words (B, T) of a caption."""
        chosen = self.kept.spread(most)
        image = self.kept.centres(chosen)
        captions = [self.kept.examples[i].captions[0] for i in chosen]
        words = word_rows(captions, self.damsm.vocabulary, self.recipe.model.max_words)
        return chosen, image, words.to(self.device)

    def _look(self, image: Tensor) -> ImageFeatures:
        with autocast(self.device):
            features: ImageFeatures = self.damsm.image(image.to(self.device))
        return features

    def _rate(self, step: int) -> float:
        rounds = step * self.recipe.batch_size // len(self.data)
        return self.recipe.learning_rate * max(_LOWEST_RATE, self.recipe.decay**rounds)

    def parts(self) -> Mapping[str, Part]:
        return {"damsm": self.damsm, "optimizer": self.optimizer}

    @torch.no_grad()
    def sheet(self) -> Image.Image:
        """Kept pictures, each followed by where the first words of its caption look."""
        chosen, images, index = self._looked_at(_SHEET_ROWS)
        regions = self._look(images).regions
        attention = word_attention(
            regions, self.damsm.text(index), self.recipe.gammas.attention
        ).unflatten(3, regions.shape[2:])
        rows, labels = [], []
        for i, (number, image) in enumerate(zip(chosen, images, strict=True)):
            caption = self.kept.examples[number].captions[0]
            words = tokenize(caption)[: min(_SHEET_WORDS, self.recipe.model.max_words)]
            lit = _lit(image, attention[i, i, : len(words)].cpu())
            rows.append(row(torch.cat([image[None], lit])))
            labels.append(" | ".join(words))
        return sheet(rows, labels)

    def export(self, folder: Path, *, steps: int, hours: float) -> Path:
        path = folder / FILE
        save_damsm(self.damsm, path)
        return path


def _lit(image: Tensor, where: Tensor) -> Tensor:
    """(3, S, S) and (T, h, w) -> (T, 3, S, S), dark where a word does not look."""
    light = where / where.amax((1, 2), keepdim=True)
    light = interpolate(light[:, None], image.shape[1:], mode="bilinear").clamp(0, 1)
    return (image + 1) * light - 1
