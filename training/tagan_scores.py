"""TAGAN's score of each word, for a generator that was trained before scores were kept.

Source: Nam et al., NeurIPS 2018, arXiv:1810.11919: the terms of eq. 6 that hold a real picture
against its own caption and another one, with D(x, t) of eq. 5. The generator does not change.
Not from the paper, where this part of the discriminator is trained with the rest; and, off in
`PAPER`: translation and noise of what it sees, captions with a colour exchanged.
Shapes: B batch, T words, S image side in pixels.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from models.base import TextFeatures
from models.checkpoint import SUFFIX, Header
from models.layers import channels_last
from models.tagan import Tagan
from models.text.vocabulary import PAD, tokenize
from models.weights import save
from training.augment import Augmentation
from training.data import CaptionedPictures, Sampling
from training.loop import Average, Part, Trainer, autocast, rank, share_weights, step_generator
from training.sheets import row, sheet
from training.steps import adam, descend, faded, set_rate
from training.tagan import says_no, says_yes

_SHEET_COLUMNS = 12
_TOLD_APART = 256  # kept pictures at most, for the number in the header


@dataclass(frozen=True)
class Recipe:
    """How it is learnt; the networks are as the generator's checkpoint says."""

    batch_size: int = 32
    learning_rate: float = 3e-4
    fade: float = 0.2  # over this last share of the steps the rate goes straight down to 0
    ema: float = 0.999
    augmentation: Augmentation = field(default_factory=Augmentation)
    sampling: Sampling = field(default_factory=Sampling)


PAPER = Recipe(batch_size=64, learning_rate=2e-4)
SMALL = Recipe(
    augmentation=Augmentation(translation=0.125, noise=0.05),
    sampling=Sampling(
        colour_swaps=0.5, balance=0.5, colour_balance=0.5, word_dropout=0.01, shortened=0.4
    ),
)
RECIPES = {"small": SMALL, "paper": PAPER}


class TaganScoresTrainer(Trainer):
    """The discriminator's word level, on real pictures with captions that match or do not."""

    def __init__(
        self,
        recipe: Recipe,
        data: CaptionedPictures,
        kept: CaptionedPictures,
        header: Header,
        *,
        trained: Tagan,
        steps: int,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        """`header` is that of the checkpoint of `trained`; `kept` are pictures to look at."""
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.kept, self.header = recipe, data, kept, header
        self.steps, self.seed = steps, seed
        self.net = self._system(trained)
        self.average = Average(self.net, self._system(trained), recipe.ema)
        for part in (self.net.embedding, self.net.generator):
            part.eval().requires_grad_(False)
        assert self.net.judge is not None
        self.judge, self.words = self.net.judge, self.net.judge_words or self.net.embedding
        learning = [p for p in self.net.parameters() if p.requires_grad]
        self.optimizer = adam(learning, recipe.learning_rate)
        share_weights(self.parts().values())

    def _system(self, trained: Tagan) -> Tagan:
        """The trained generator with its words, and a fresh judge of them."""
        system = Tagan(replace(trained.cfg, scores=True, word_level=True), trained.vocabulary)
        system.embedding.load_state_dict(trained.embedding.state_dict())
        system.generator.load_state_dict(trained.generator.state_dict())
        return channels_last(system.to(self.device))

    def train_step(self, step: int) -> Mapping[str, float]:
        """One step down the conditional terms of eq. 6 for real pictures."""
        recipe = self.recipe
        rate = faded(recipe.learning_rate, step, steps=self.steps, fade=recipe.fade)
        set_rate([self.optimizer], rate)
        rng = step_generator(self.seed, step)
        batch = self.data.batch(recipe.batch_size, seed=self.seed, step=step, rank=rank())
        real, matching, other, *_ = batch.to(self.device)
        with autocast(self.device):
            vectors = self.judge.vectors(self.judge.maps(recipe.augmentation(real, rng)))
            losses = {
                "matching": says_yes(self.judge.match(vectors, self._read(matching))),
                "other": says_no(self.judge.match(vectors, self._read(other))),
            }
        descend(self.optimizer, losses)
        self.average.update(step)
        return {name: loss.item() for name, loss in losses.items()}

    def _read(self, index: Tensor) -> TextFeatures:
        return self.judge.text(self.words(index), index != PAD)

    def parts(self) -> Mapping[str, Part]:
        return {"net": self.net, "average": self.average.copy, "optimizer": self.optimizer}

    @torch.inference_mode()
    def sheet(self) -> Image.Image:
        """Kept pictures; then each example's edits, with its words' scores before and after."""
        source = self.kept.centres(self.kept.spread(_SHEET_COLUMNS)).to(self.device)
        rows, labels = [row(source)], ["source"]
        for caption in self.header.examples:
            edited, scores = self._edited(source, caption)
            rows.append(row(edited))
            labels.append(scores)
        return sheet(rows, labels)

    def _edited(self, source: Tensor, caption: str) -> tuple[Tensor, str]:
        """The edits, and each word with its mean score before and after."""
        net: Any = self.average.copy
        text = net.encode_text([caption] * len(source))
        noise = torch.zeros(len(source), net.noise_dim, device=self.device)
        edited = net.manipulate(net.prepare(source), text, noise)
        before, after = net.judge(source, text.judged).scores.mean(0), edited.scores.mean(0)
        told = zip(tokenize(caption), before.tolist(), after.tolist(), strict=False)
        return edited.image, "  ".join(f"{word} {a:.2f} to {b:.2f}" for word, a, b in told)

    def export(self, folder: Path, *, steps: int, hours: float) -> Path:
        """The generator's checkpoint, what it says of its own training included, with scores."""
        net: Any = self.average.copy
        metrics = {
            **self.header.metrics,
            "score_hours": round(hours, 2),
            "captions_told_apart": round(self._told_apart(), 4),
        }
        header = replace(self.header, config=asdict(net.cfg), metrics=metrics)
        path = folder / f"{header.id}{SUFFIX}"
        save(net, header, path)
        return path

    @torch.inference_mode()
    def _told_apart(self) -> float:
        """Share of kept pictures that go better with their own caption than with another's."""
        net: Any = self.average.copy
        chosen = self.kept.spread(_TOLD_APART)
        vectors = net.judge.vectors(net.judge.maps(self.kept.centres(chosen).to(self.device)))
        own, other = (
            net.judge.match(vectors, net.encode_text(_captions(part, len(chosen))).judged).log_match
            for part in (self.kept, self.data)
        )
        return (own > other).float().mean().item()


def _captions(pictures: CaptionedPictures, most: int) -> list[str]:
    """The first caption of each of so many pictures, spread over the classes."""
    return [pictures.examples[i].captions[0] for i in pictures.spread(most)]
