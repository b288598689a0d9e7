"""The symmetric structured joint embedding: a text encoder learns what sets pictures apart.

Source: Reed, Akata, Schiele and Lee, CVPR 2016, arXiv:1605.05395, section 3.1; eq. 2 to 4 of Reed
et al., ICML 2016, arXiv:1605.05396, whose 0-1 loss is bounded by the hinge that is lowered here;
optimiser and schedule from the authors' code for flowers.
Not from the paper: pictures are seen by a frozen EfficientNet-Lite0 and a projection, where the
paper has GoogLeNet alone; scores are divided by the square root of D. In `SMALL` captions are read
by words, and every picture is a class of its own, with its like left out.
Shapes: B batch, D text width, S image side in pixels, T words or letters of a caption.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import relu

from models.layers import channels_last
from models.lite import Lite, load_lite
from models.text.captions import Reading, TrainedReader, WordReader, reader
from models.text.vocabulary import Vocabulary
from training.data import CaptionedPictures, Sampling
from training.loop import Part, Trainer, autocast, rank, share_weights
from training.sheets import row, sheet
from training.steps import descend, faded, set_rate
from training.word_vectors import WordVectors

FILE = "reader.safetensors"  # what a run's folder holds the text encoder in
MEASURE_EVERY = 50  # steps

_KEPT = 64  # pictures that the accuracy is measured on
_SHEET_ROWS = 8


class OtherReading(ValueError):
    """Captions are given as words and read by letters, or the other way round."""


@dataclass(frozen=True)
class Recipe:
    """What is learnt and how; `PAPER` is the published one, `SMALL` learns on two CPU cores."""

    model: Reading
    image_size: int  # S that pictures are shown at
    batch_size: int = 40
    learning_rate: float = 7e-4
    decay: float = 1.0  # of the learning rate, each time all pictures were seen
    fade: float = 0.0  # share of the steps, at the end, over which the rate goes down to 0
    by_class: bool = True  # pictures of one class are alike; else those with the same caption
    sampling: Sampling = field(default_factory=Sampling)


PAPER = Recipe(Reading(), image_size=224, decay=0.98)
SMALL = Recipe(
    Reading("words", text_dim=256, word_dim=128),
    image_size=64,
    batch_size=64,
    fade=0.2,
    by_class=False,
    sampling=Sampling(balance=0.5, word_dropout=0.01, shortened=0.4),
)
RECIPES = {"small": SMALL, "paper": PAPER}


class JointEmbeddingTrainer(Trainer):
    """The text encoder and the projection of what a frozen network sees, together."""

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
        """`kept` are pictures that are only looked at; `word_vectors` are where words begin.

        Raises:
            OtherReading: `data` has words where the encoder reads letters, or letters for words.
        """
        if data.by_characters != recipe.model.by_characters:
            raise OtherReading(f"reader={recipe.model.reader!r}; the captions are given otherwise")
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.kept = recipe, data, kept
        self.steps, self.seed = steps, seed
        self.words = Vocabulary(()) if data.by_characters else data.vocabulary
        self.reader = reader(recipe.model, self.words).to(self.device)
        if word_vectors is not None and isinstance(self.reader, WordReader):
            word_vectors.fill(self.reader.embedding)
        side = ImageSide(load_lite("lite0"), recipe.model.text_dim)
        self.image_side = channels_last(side.to(self.device))
        self.learnt = nn.ModuleDict({"reader": self.reader, "project": self.image_side.project})
        self.optimizer = torch.optim.RMSprop(self.learnt.parameters(), recipe.learning_rate)
        share_weights(self.parts().values())

    def train_step(self, step: int) -> Mapping[str, float]:
        """One step down eq. 2; now and then, how often a kept picture finds its caption."""
        set_rate([self.optimizer], self._rate(step))
        which = {"seed": self.seed, "step": step, "rank": rank()}
        batch = self.data.batch(self.recipe.batch_size, **which)
        index = batch.matching.to(self.device)
        alike = same_captions(index)
        if self.recipe.by_class:
            labels = self.data.labels(self.recipe.batch_size, **which).to(self.device)
            alike |= labels[:, None] == labels
        with autocast(self.device):
            seen = self.image_side(batch.image.to(self.device))
            read = self.reader(index).sentence
        losses = {"joint": joint_embedding_loss(seen.float(), read.float(), alike)}
        descend(self.optimizer, losses)
        row = {name: loss.item() for name, loss in losses.items()}
        if (step + 1) % MEASURE_EVERY == 0:
            row["kept_accuracy"] = self.accuracy()
        return row

    @torch.no_grad()
    def accuracy(self) -> float:
        """Share of kept pictures that no caption of other words fits better, in [0, 1]."""
        chosen = self.kept.spread(_KEPT)
        index = self.kept.encode([self.kept.examples[i].captions[0] for i in chosen])
        index = index.to(self.device)
        seen = self.image_side(self.kept.centres(chosen).to(self.device))
        best = (seen @ self.reader(index).sentence.T).argmax(1)
        return same_captions(index)[torch.arange(len(index)), best].float().mean().item()

    def _rate(self, step: int) -> float:
        recipe = self.recipe
        rounds = step * recipe.batch_size // len(self.data)
        rate = recipe.learning_rate * recipe.decay**rounds
        return faded(rate, step, steps=self.steps, fade=recipe.fade)

    def parts(self) -> Mapping[str, Part]:
        return {"learnt": self.learnt, "optimizer": self.optimizer}

    @torch.inference_mode()
    def sheet(self) -> Image.Image:
        """Kept pictures, each beside that of their first captions which fits it best."""
        captions = sorted({example.captions[0] for example in self.kept.examples})
        image = self.kept.centres(self.kept.spread(_SHEET_ROWS))
        seen = self.image_side(image.to(self.device))
        best = (seen @ self.reader.read(captions).sentence.T).argmax(1).tolist()
        return sheet([[picture] for picture in row(image)], [captions[i] for i in best])

    def export(self, folder: Path, *, steps: int, hours: float) -> Path:
        path = folder / FILE
        TrainedReader(self.recipe.model, self.words, self.reader).save(path)
        return path


class ImageSide(nn.Module):
    """phi(v): a picture as a vector that a caption's vector can be compared with."""

    def __init__(self, encoder: Lite, text_dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.project = nn.Linear(sum(encoder.cfg.tap_channels), text_dim)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, D)."""
        with torch.no_grad():
            pooled = [tap.mean((2, 3)) for tap in self.encoder.features(image)]
        return self.project(torch.cat(pooled, dim=1).float())


def joint_embedding_loss(pictures: Tensor, captions: Tensor, alike: Tensor) -> Tensor:
    """Hinge of every wrong pair of the batch against the right one, by picture and by caption.

    (B, D) twice, and (B, B) True where a caption fits another's picture too.
    """
    scores = pictures @ captions.T / captions.shape[1] ** 0.5  # phi(v) . phi(t) of eq. 3 and 4
    right = scores.diag()
    wrong = ~alike
    by_picture = relu(1 + scores - right[:, None])[wrong]
    by_caption = relu(1 + scores - right[None, :])[wrong]
    return (by_picture.sum() + by_caption.sum()) / wrong.sum().clamp(min=1)


def same_captions(index: Tensor) -> Tensor:
    """(B, T) words or letters -> (B, B), True where two captions are the same."""
    return (index[:, None] == index[None]).all(-1)
