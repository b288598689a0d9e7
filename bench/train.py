"""How fast a training step is: each trainer's `small` recipe beside the paper's networks.

    python bench/train.py
    python bench/train.py --system tagan --system attngan --rounds 10

The reference is the published recipe cut to the small one's picture size and batch, by the same
trainer with everything off that makes it fast: float32, channels first, the paper's widths and
upsampling. Between the two stands the reference computed as the small recipe is: bfloat16 and
channels last. They take steps in turn, so that whatever else the machine does slows all; what is
counted is the time that this process has computed on its one thread, not the clock. Text encoders
are trained beforehand.

AttnGAN has two rows. In "attngan" the reference goes without DAMSM, whose Inception-v3 at 299
pixels would take most of its time; in "attngan_damsm" it has it as published, with weights that
nobody trained, which take as long.
"""

import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import process_time
from types import ModuleType
from typing import Annotated, Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch
import typer
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import nn

from models.checkpoint import Header
from models.damsm import Damsm
from models.heap import TRAINING, keep_freed
from models.text.vocabulary import Vocabulary
from models.text.vse import SentenceReader
from training import (
    attngan,
    damsm,
    gan_int_cls,
    generation,
    sisgan,
    stackgan,
    stackgan_v2,
    tagan,
    vse,
)
from training.data import Batch, CaptionedPictures, Example
from training.loop import Trainer

BAR = 3.0  # times the reference, at least
_WORDS = Vocabulary(tuple(f"word{i}" for i in range(1000)))
_PICTURES = 64
_CAPTION_WORDS = 13  # as captions of flowers have
_SIZE_FIELDS = ("image_size", "stages", "branches")  # what "at equal size" is about

Build = Callable[[Any, CaptionedPictures, Header], Trainer]


@dataclass(frozen=True)
class Entry:
    """One trainer, its two recipes, and the module whose `autocast` its steps use."""

    name: str
    build: Build
    small: Any
    paper: Any
    module: ModuleType

    @property
    def reference(self) -> Any:
        """The paper's recipe at the small one's size and batch."""
        model, size = self.paper.model, self.small.model
        cut = {name: getattr(size, name) for name in _SIZE_FIELDS if hasattr(model, name)}
        return replace(self.paper, model=replace(model, **cut), batch_size=self.small.batch_size)


def _tagan(recipe: Any, data: CaptionedPictures, header: Header) -> Trainer:
    return tagan.TaganTrainer(recipe, data, data, header, steps=1000)


def _sisgan(recipe: Any, data: CaptionedPictures, header: Header) -> Trainer:
    text = SentenceReader(recipe.model.text, _WORDS)
    return sisgan.SisganTrainer(recipe, data, data, header, text=text, steps=1000)


def _attngan(recipe: Any, data: CaptionedPictures, header: Header) -> Trainer:
    sizes = {"word_dim": recipe.model.word_dim, "text_dim": recipe.model.text_dim}
    is_published = recipe.lambda_damsm == attngan.PAPER.lambda_damsm
    encoders = damsm.PAPER if is_published else damsm.SMALL
    judge = Damsm(replace(encoders.model, **sizes), _WORDS)
    return attngan.AttnganTrainer(recipe, data, data, header, damsm=judge, steps=1000)


def _of(trainer: type[generation.GenerationTrainer]) -> Build:
    return lambda recipe, data, header: trainer(recipe, data, data, header, steps=1000)


_SMALL_TEXT: dict[str, Any] = {
    "word_dim": damsm.SMALL.model.word_dim,
    "text_dim": damsm.SMALL.model.text_dim,
}
_ATTNGAN = replace(attngan.SMALL, model=replace(attngan.SMALL.model, **_SMALL_TEXT))
_SISGAN = replace(sisgan.SMALL, model=replace(sisgan.SMALL.model, text=vse.SMALL.model))
ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("tagan", _tagan, tagan.SMALL, tagan.PAPER, tagan),
        Entry("sisgan", _sisgan, _SISGAN, sisgan.PAPER, sisgan),
        Entry("attngan", _attngan, _ATTNGAN, replace(attngan.PAPER, lambda_damsm=0.0), attngan),
        Entry("attngan_damsm", _attngan, _ATTNGAN, attngan.PAPER, attngan),
        *(
            Entry(
                module.__name__.split(".")[-1], _of(trainer), module.SMALL, module.PAPER, generation
            )
            for module, trainer in (
                (stackgan_v2, stackgan_v2.StackganV2Trainer),
                (stackgan, stackgan.StackganTrainer),
                (gan_int_cls, gan_int_cls.GanIntClsTrainer),
            )
        ),
    )
}


class ChannelsFirst(CaptionedPictures):
    """Batches laid out as the papers' code has them."""

    def batch(self, size: int, *, seed: int, step: int, rank: int = 0) -> Batch:
        batch = super().batch(size, seed=seed, step=step, rank=rank)
        return batch._replace(image=batch.image.contiguous())


def noise_pictures(kind: type[CaptionedPictures], recipe: Any, folder: Path) -> CaptionedPictures:
    """Pictures of noise with captions of random words: what they show costs no time."""
    draw = np.random.default_rng(0)
    examples = []
    for number in range(_PICTURES):
        path = folder / f"{number}.png"
        if not path.exists():
            Image.fromarray(draw.integers(0, 256, (96, 96, 3), dtype=np.uint8)).save(path)
        words = draw.choice(_WORDS.words, (2, _CAPTION_WORDS))
        examples.append(Example(path, tuple(" ".join(row) for row in words)))
    return kind(
        examples,
        _WORDS,
        image_size=recipe.model.image_size,
        max_words=_CAPTION_WORDS,
        cache=folder / "cache",
        sampling=recipe.sampling,
    )


def fast_steps(entry: Entry, recipe: Any, folder: Path) -> Callable[[int], None]:
    """A step of a recipe as `python -m training` takes it."""
    data = noise_pictures(CaptionedPictures, recipe, folder)
    trainer = _built(entry, recipe, data)
    return lambda step: _take(trainer, step)


def plain_steps(entry: Entry, recipe: Any, folder: Path) -> Callable[[int], None]:
    """A step of a recipe in float32, channels first."""
    trainer = _built(entry, recipe, noise_pictures(ChannelsFirst, recipe, folder))
    for part in trainer.parts().values():
        if isinstance(part, nn.Module):
            part.to(memory_format=torch.contiguous_format)

    def take(step: int) -> None:
        with patch.object(entry.module, "autocast", lambda place: nullcontext()):
            _take(trainer, step)

    return take


def _built(entry: Entry, recipe: Any, data: CaptionedPictures) -> Any:
    header = Header(entry.name, "noise", recipe.model.image_size, {}, _WORDS.words)
    trainer = entry.build(recipe, data, header)
    if isinstance(trainer, generation.GenerationTrainer):
        trainer.net.reader.requires_grad_(False)  # trained beforehand
    return trainer


def _take(trainer: Trainer, step: int) -> None:
    trainer.train_step(step)


class Speeds(NamedTuple):
    """Pictures a second of computing."""

    small: float  # the small recipe
    same: float  # the reference's networks and losses, computed as the small recipe is
    reference: float


def compare(entry: Entry, folder: Path, *, rounds: int) -> Speeds:
    """Take `rounds` steps of each, in turn."""
    sides = (
        fast_steps(entry, entry.small, folder),
        fast_steps(entry, entry.reference, folder),
        plain_steps(entry, entry.reference, folder),
    )
    seconds: tuple[list[float], ...] = ([], [], [])
    for step in track(range(rounds + 1), entry.name):
        for take, taken in zip(sides, seconds, strict=True):
            started = process_time()
            take(step)
            if step:  # the first warms up
                taken.append(process_time() - started)
    return Speeds(*(entry.small.batch_size / median(taken) for taken in seconds))


def main(
    system: Annotated[list[str] | None, typer.Option(help="Default: all.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Steps of each.")] = 5,
    batch: Annotated[int | None, typer.Option(help="Pictures a step; default: as small.")] = None,
) -> None:
    """Print pictures a second of each trainer beside its reference, and their ratio."""
    keep_freed(*TRAINING)  # as all commands of training do
    torch.set_num_threads(1)
    bar = f"bar ({BAR:.0f})"
    columns = ("trainer", "px", "small", "same networks", "reference", "small / reference", bar)
    table = Table(*columns, title="pictures a second of computing, one thread")
    for name in system or ENTRIES:
        entry = ENTRIES[name]
        if batch:
            entry = replace(entry, small=replace(entry.small, batch_size=batch))
        with tempfile.TemporaryDirectory() as folder:
            table.add_row(*row(entry, compare(entry, Path(folder), rounds=rounds)))
    Console().print(table)


def row(entry: Entry, speeds: Speeds) -> list[str]:
    """Figures of one trainer, and whether the bar is kept."""
    times = speeds.small / speeds.reference
    verdict = "kept" if times >= BAR else "MISSED"
    side = str(entry.small.model.image_size)
    return [entry.name, side, *(f"{speed:.1f}" for speed in speeds), f"{times:.1f}", verdict]


if __name__ == "__main__":
    typer.run(main)
