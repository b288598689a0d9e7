"""TIRG's losses and training step: queries near the pictures that answer them, far from others.

Source: Vo et al., CVPR 2019, arXiv:1812.07119, section 3.2 (eq. 4 to 6) and 4; optimiser, schedule
and the learnt scale of the scores from the authors' code.
Not from the paper: the trunk is frozen, so that pictures are looked at once (training/seen.py); a
picture that answers a query as well as its target does is no negative of it; `SMALL` uses Adam.
Shapes: B batch, T words, D width, F width of the trunk's maps, h w their sides, S image side.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus

from models.base import System
from models.checkpoint import Header
from models.text.rows import word_rows
from models.text.vocabulary import UNKNOWN
from models.tirg import Config, Network, Tirg
from training.loop import Average, Part, autocast, rank, share_weights
from training.queries import queries_of
from training.recall import ranking, recall_at
from training.seen import SeenPictures, load_trunk
from training.sheets import sheet
from training.steps import descend, faded, set_rate
from training.system_trainer import SystemTrainer

MEASURE_EVERY = 250  # steps

_KEPT = 500  # queries that the recall is measured on
_RANKS = (1, 5, 10)
_SCALE = 4.0  # of both sides' vectors at first, as in the authors' code
_SHEET_ROWS = 10
_SHEET_ANSWERS = 5


@dataclass(frozen=True)
class Recipe:
    """What is learnt and how; `PAPER` is the published one, `SMALL` learns on two CPU cores."""

    model: Config
    loss: Literal["softmax", "triplet"] = "softmax"  # eq. 6 (K = B) or eq. 5 (K = 2)
    batch_size: int = 32
    learning_rate: float = 1e-2
    momentum: float | None = 0.9  # of SGD; None: Adam
    weight_decay: float = 1e-6
    drop_every: int | None = None  # steps after which the rate goes down to a tenth
    fade: float = 0.0  # over this last share of the steps the rate goes straight down to 0
    word_dropout: float = 0.0  # share of words shown as unknown, so that the unknown word is learnt
    ema: float = 0.999


PAPER = Recipe(Config(), drop_every=50_000)
SMALL = Recipe(
    Config(image_size=128, embed_dim=192, word_dim=96),
    batch_size=64,
    learning_rate=2e-3,
    momentum=None,
    weight_decay=0.0,
    fade=0.5,
    word_dropout=0.02,
    ema=0.99,
)
RECIPES = {"small": SMALL, "paper": PAPER}


class Asked(NamedTuple):
    """A batch of queries with their answers."""

    source: Tensor  # (B, F, h, w) of the trunk; anything where there is none
    is_there: Tensor  # (B,) bool, whether the query has a picture
    words: Tensor  # (B, T) word indices, padded with PAD
    target: Tensor  # (B, F, h, w)
    alike: Tensor  # (B, B) bool, which targets answer which queries


class TirgTrainer(SystemTrainer):
    """All that is above the trunk, from pairs of pictures and words."""

    recipe: Recipe

    def __init__(
        self,
        recipe: Recipe,
        data: SeenPictures,
        kept: SeenPictures,
        header: Header,
        *,
        steps: int,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        """`kept` are pictures that are only looked at; `header` says what the export is of."""
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.header = recipe, data, header
        self.steps, self.seed = steps, seed
        self.vocabulary = header.vocabulary
        self.queries = queries_of(data.examples)
        self.net = Network(recipe.model, self.vocabulary).to(self.device)
        self.scale = nn.Parameter(torch.tensor(_SCALE, device=self.device))
        copy = Network(recipe.model, self.vocabulary).to(self.device)
        self.average, self.averaged = Average(self.net, copy, recipe.ema), copy
        self.optimizer = _optimizer(recipe, [*self.net.parameters(), self.scale])
        self.kept = kept
        self.kept_queries = queries_of(kept.examples)
        draw = random.Random(seed)
        self.asked = [self.kept_queries.draw(draw) for _ in range(_KEPT)]
        share_weights(self.parts().values())

    def train_step(self, step: int) -> Mapping[str, float]:
        """One step down eq. 5 or 6; now and then, how often a kept query finds an answer."""
        set_rate([self.optimizer], self._rate(step))
        asked = self._batch(step)
        with autocast(self.device):
            phi = self.net.see(torch.cat([asked.source, asked.target]))
            source, target = phi.chunk(2)
            source = torch.where(
                asked.is_there[:, None, None, None], source, self.net.absent(len(source))
            )
            queries = self.net.compose(source, self.net.text(asked.words))
        scores = self.scale**2 * queries @ self.net.place(target).T
        loss = LOSSES[self.recipe.loss](scores, asked.alike)
        descend(self.optimizer, {self.recipe.loss: loss})
        self.average.update(step)
        row = {self.recipe.loss: loss.item()}
        return row | (self.recall() if (step + 1) % MEASURE_EVERY == 0 else {})

    def _batch(self, step: int) -> Asked:
        """The batch of one step; another process gets another one."""
        draw = random.Random(f"{self.seed}-{step}-{rank()}")
        queries = [self.queries.draw(draw) for _ in range(self.recipe.batch_size)]
        sources = [query.source or 0 for query in queries]
        targets = [query.target for query in queries]
        words = self._encode([query.words for query in queries], draw)
        return Asked(
            self.data.maps(sources).to(self.device),
            torch.tensor([query.source is not None for query in queries], device=self.device),
            words.to(self.device),
            self.data.maps(targets).to(self.device),
            torch.from_numpy(self.queries.fitting(queries, targets)).to(self.device),
        )

    def _encode(self, texts: Sequence[str], draw: random.Random) -> Tensor:
        """(B, T), some words unknown."""
        rows = word_rows(texts, self.vocabulary, self.recipe.model.max_words)
        for row in rows:
            for place in range(len(row)):
                if row[place] > UNKNOWN and draw.random() < self.recipe.word_dropout:
                    row[place] = UNKNOWN
        return rows

    def recall(self) -> dict[str, float]:
        """Share of kept queries with an answer among the nearest 1, 5 and 10 kept pictures."""
        found = ranking(self.averaged, self.kept, self.asked)
        fits = self.kept_queries.fitting(self.asked, range(len(self.kept)))
        return recall_at(_RANKS, found, fits)

    def _rate(self, step: int) -> float:
        recipe = self.recipe
        rate = recipe.learning_rate
        if recipe.drop_every:
            rate *= 0.1 ** (step // recipe.drop_every)
        return faded(rate, step, steps=self.steps, fade=recipe.fade)

    def parts(self) -> Mapping[str, Part]:
        return {
            "net": self.net,
            "scale": nn.ParameterList([self.scale]),
            "average": self.averaged,
            "optimizer": self.optimizer,
        }

    def sheet(self) -> Image.Image:
        """Kept queries: under its words the picture, white if there is none, and what is found."""
        asked = self.asked[:_SHEET_ROWS]
        found = ranking(self.averaged, self.kept, asked)[:, :_SHEET_ANSWERS]
        rows = []
        for query, answers in zip(asked, found, strict=True):
            source, *best = self.kept.pictures([query.source or 0, *answers.tolist()])
            rows.append([torch.ones_like(source) if query.source is None else source, *best])
        return sheet(rows, [query.words for query in asked])

    @property
    def pictures_a_step(self) -> int:
        """Each query has two."""
        return 2 * self.recipe.batch_size

    def served(self) -> System:
        """The averaged network with the trunk under it."""
        system = Tirg(self.recipe.model, self.vocabulary)
        system.trunk = load_trunk()
        system.network.load_state_dict(self.averaged.state_dict())
        return system.eval()


def softmax_loss(scores: Tensor, alike: Tensor) -> Tensor:
    """Eq. 6: each query's own target among all of the batch.

    (B, B) scores of queries and targets, the right ones on the diagonal; (B, B) True where another
    target is an answer too and counts as neither right nor wrong.
    """
    own = torch.arange(len(scores), device=scores.device)
    others = alike & (own[:, None] != own)
    return cross_entropy(scores.masked_fill(others, -torch.inf), own)


def triplet_loss(scores: Tensor, alike: Tensor) -> Tensor:
    """Eq. 5: each query's own target against every other, one at a time, with M = B - 1."""
    pairs = softplus(scores - scores.diagonal()[:, None])
    return pairs[~alike].sum() / (~alike).sum().clamp(min=1)


LOSSES = {"softmax": softmax_loss, "triplet": triplet_loss}


def _optimizer(recipe: Recipe, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.momentum is None:
        return torch.optim.Adam(parameters, rate, weight_decay=decay, fused=True)
    return torch.optim.SGD(parameters, rate, recipe.momentum, weight_decay=decay)
