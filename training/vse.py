"""VSE's ranking loss and training step: captions near their pictures, far from others.

Source: Dong et al., ICCV 2017, arXiv:1707.06873, eq. 4; optimiser and margin from its public code.
Not from the paper: two captions of the same words are no mismatch of each other's pictures, and
pictures are seen by EfficientNet-Lite0.
Shapes: B batch, T words, D width, S image side in pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import relu

from models.layers import channels_last
from models.lite import load_lite
from models.text.vse import Reading, VisualSemanticEmbedding
from training.data import CaptionedPictures, Sampling
from training.loop import Part, Trainer, autocast, rank, share_weights
from training.sheets import row, sheet
from training.steps import descend, faded, set_rate
from training.word_vectors import WordVectors

FILE = "vse.safetensors"  # what a run's folder holds the text encoder in
MEASURE_EVERY = 50  # steps

_KEPT = 64  # pictures that the accuracy is measured on
_SHEET_ROWS = 8


@dataclass(frozen=True)
class Recipe:
    """What is learnt and how; `PAPER` is the published one, `SMALL` learns on two CPU cores."""

    model: Reading
    image_size: int  # S that pictures are shown at
    batch_size: int = 64
    margin: float = 0.2  # alpha of eq. 4
    learning_rate: float = 2e-4
    fade: float = 0.0  # share of the steps, at the end, over which the rate goes down to 0
    sampling: Sampling = field(default_factory=Sampling)


PAPER = Recipe(Reading(), image_size=224)
SMALL = Recipe(
    Reading(word_dim=128, text_dim=256),
    image_size=64,
    learning_rate=1e-3,
    fade=0.2,
    sampling=Sampling(balance=0.5, word_dropout=0.01, shortened=0.4),
)
RECIPES = {"small": SMALL, "paper": PAPER}


class VseTrainer(Trainer):
    """The reader and the projection of what a frozen network sees, together."""

    def __init__(
        self,
        recipe: Recipe,
        data: CaptionedPictures,
        kept: CaptionedPictures,
        *,
        steps: int,
        word_vectors: WordVectors | None = None,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        """`kept` are pictures that are only looked at; `word_vectors` are where words begin."""
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.kept = recipe, data, kept
        self.steps, self.seed = steps, seed
        vse = VisualSemanticEmbedding(recipe.model, data.vocabulary, load_lite("lite0"))
        if word_vectors is not None:
            word_vectors.fill(vse.text.embedding)
        self.vse = channels_last(vse.to(self.device))
        self.learnt = nn.ModuleDict({"text": self.vse.text, "project": self.vse.project})
        self.optimizer = torch.optim.Adam(self.learnt.parameters(), recipe.learning_rate)
        share_weights(self.parts().values())

    def train_step(self, step: int) -> Mapping[str, float]:
        """One step down eq. 4; now and then, how often a kept picture finds its caption."""
        set_rate([self.optimizer], self._rate(step))
        batch = self.data.batch(self.recipe.batch_size, seed=self.seed, step=step, rank=rank())
        index = batch.matching.to(self.device)
        with autocast(self.device):
            seen, read = self.vse.see(batch.image.to(self.device)), self.vse.read(index)
        losses = {"ranking": ranking_loss(seen, read, same_words(index), self.recipe.margin)}
        descend(self.optimizer, losses)
        row = {name: loss.item() for name, loss in losses.items()}
        if (step + 1) % MEASURE_EVERY == 0:
            row["kept_accuracy"] = self.accuracy()
        return row

    @torch.no_grad()
    def accuracy(self) -> float:
        """Share of kept pictures to which no caption of other words is nearer, in [0, 1]."""
        chosen = self.kept.spread(_KEPT)
        index = self.kept.encode([self.kept.examples[i].captions[0] for i in chosen])
        index = index.to(self.device)
        seen = self.vse.see(self.kept.centres(chosen).to(self.device))
        nearest = (seen @ self.vse.read(index).T).argmax(1)
        return same_words(index)[torch.arange(len(index)), nearest].float().mean().item()

    def _rate(self, step: int) -> float:
        recipe = self.recipe
        return faded(recipe.learning_rate, step, steps=self.steps, fade=recipe.fade)

    def parts(self) -> Mapping[str, Part]:
        return {"learnt": self.learnt, "optimizer": self.optimizer}

    @torch.inference_mode()
    def sheet(self) -> Image.Image:
        """Kept pictures, each under the nearest of the kept pictures' first captions."""
        captions = sorted({example.captions[0] for example in self.kept.examples})
        image = self.kept.centres(self.kept.spread(_SHEET_ROWS))
        read = nn.functional.normalize(self.vse.text.read(captions).sentence, dim=1)
        nearest = (self.vse.see(image.to(self.device)) @ read.T).argmax(1).tolist()
        return sheet([[picture] for picture in row(image)], [captions[i] for i in nearest])

    def export(self, folder: Path, *, steps: int, hours: float) -> Path:
        path = folder / FILE
        self.vse.text.save(path)
        return path


def ranking_loss(seen: Tensor, read: Tensor, alike: Tensor, margin: float) -> Tensor:
    """Eq. 4 over a batch, a mean over its pairs; each other pair is a mismatch unless `alike`.

    (B, D) and (B, D) of length 1, (B, B) bool; s is the cosine.
    """
    scores = seen @ read.T  # (picture, caption)
    own = scores.diagonal()
    wrong_caption = relu(margin - own[:, None] + scores)  # first line of eq. 4
    wrong_picture = relu(margin - own[None, :] + scores)  # second line
    return (wrong_caption + wrong_picture).masked_fill(alike, 0).sum() / len(scores)


def same_words(index: Tensor) -> Tensor:
    """(B, T) word indices -> (B, B), True where two captions are the same."""
    return (index[:, None] == index[None]).all(-1)
