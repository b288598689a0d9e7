"""`python -m training`: train a system on a folder of captioned pictures, evaluate a checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import torch
import typer

from models.checkpoint import Header
from models.damsm import load_damsm
from models.inception import load_published
from models.text.vocabulary import Vocabulary
from models.text.vse import SentenceReader
from training import attngan, card, damsm, evaluate, loop, sisgan, tagan, vse
from training.data import CaptionedPictures, Example, Sampling, read_split
from training.plot import plot_log

_KEPT_SHARE = 20  # one picture in so many is kept from training, to be looked at

R = TypeVar("R")

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


Data = Annotated[Path, typer.Option(help="Folder with train/metadata.jsonl and pictures.")]
Domain = Annotated[str | None, typer.Option(help="Its name; default: the folder's.")]
RecipeName = Annotated[str, typer.Option(help="small (for two CPU cores) or paper.")]
Steps = Annotated[int, typer.Option(help="Optimiser steps, over all resumed runs.")]
Minutes = Annotated[float | None, typer.Option(help="Stop, resumable, after so long.")]
Run = Annotated[Path | None, typer.Option(help="Folder of the run; default: .runs/ID.")]
Examples = Annotated[list[str] | None, typer.Option(help="Caption for sheets and form.")]
Description = Annotated[str, typer.Option(help="What the data are, for the card.")]
Licence = Annotated[str, typer.Option(help="Use allowed for the weights.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads.")]
Seed = Annotated[int, typer.Option(help="Of weights, order and noise.")]


@app.command("tagan")
def train_tagan(
    data: Data,
    domain: Domain = None,
    recipe: RecipeName = "small",
    steps: Steps = 10_000,
    minutes: Minutes = None,
    run: Run = None,
    example: Examples = None,
    description: Description = "",
    licence: Licence = "research use",
    threads: Threads = None,
    seed: Seed = 0,
) -> None:
    """Train TAGAN: a picture and a caption to the edited picture."""
    chosen = _chosen(tagan.RECIPES, recipe)
    _use_threads(threads)
    examples = read_split(data, "train")
    vocabulary = _vocabulary(examples)
    header = Header(
        system="tagan",
        domain=domain or data.resolve().name,
        image_size=chosen.model.image_size,
        config={},
        words=vocabulary.words,
        examples=tuple(example or _shortest_captions(examples)),
        licence=licence,
        data=description,
    )
    size, max_words = chosen.model.image_size, chosen.model.max_words
    with loop.process_group():
        shown, kept = _pictures(examples, vocabulary, size, max_words, chosen.sampling)
        trainer = tagan.TaganTrainer(
            chosen, shown, kept, header, steps=steps, seed=seed, device=loop.device()
        )
        folder = run or Path(".runs") / header.id
        path = loop.run(trainer, loop.RunSettings(folder, steps=steps, minutes=minutes))
    if path:
        typer.echo(f"wrote {path}; copy it to checkpoints/ to use it")


@app.command("damsm")
def train_damsm(
    data: Data,
    domain: Domain = None,
    recipe: RecipeName = "small",
    steps: Steps = 5_000,
    minutes: Minutes = None,
    run: Run = None,
    inception: Annotated[
        Path | None, typer.Option(help="Weights of torchvision's Inception-v3, for paper.")
    ] = None,
    threads: Threads = None,
    seed: Seed = 0,
) -> None:
    """Train AttnGAN's encoders: how well a picture and a caption go together."""
    chosen = _chosen(damsm.RECIPES, recipe)
    if (chosen.model.image_encoder == "inception") != (inception is not None):
        wanted = "needs" if inception is None else "does not look through"
        raise typer.BadParameter(f"recipe {recipe!r} {wanted} Inception-v3 (--inception)")
    _use_threads(threads)
    trunk = load_published(torch.load(inception, weights_only=True)) if inception else None
    examples = read_split(data, "train")
    vocabulary = _vocabulary(examples)
    size, max_words = chosen.image_size, chosen.model.max_words
    with loop.process_group():
        shown, kept = _pictures(examples, vocabulary, size, max_words, chosen.sampling)
        trainer = damsm.DamsmTrainer(
            chosen, shown, kept, inception=trunk, seed=seed, device=loop.device()
        )
        folder = run or Path(".runs") / f"damsm-{domain or data.resolve().name}"
        path = loop.run(trainer, loop.RunSettings(folder, steps=steps, minutes=minutes))
    if path:
        typer.echo(f"wrote {path}; give it to `python -m training attngan --encoders`")


@app.command("attngan")
def train_attngan(
    data: Data,
    encoders: Annotated[Path, typer.Option(help="damsm.safetensors of a damsm run.")],
    domain: Domain = None,
    recipe: RecipeName = "small",
    steps: Steps = 20_000,
    minutes: Minutes = None,
    run: Run = None,
    example: Examples = None,
    description: Description = "",
    licence: Licence = "research use",
    threads: Threads = None,
    seed: Seed = 0,
) -> None:
    """Train AttnGAN: a caption to a picture, with the encoders of a damsm run."""
    chosen = _chosen(attngan.RECIPES, recipe)
    _use_threads(threads)
    judge = load_damsm(encoders)
    examples = read_split(data, "train")
    header = Header(
        system="attngan",
        domain=domain or data.resolve().name,
        image_size=chosen.model.image_size,
        config={},
        words=judge.vocabulary.words,
        examples=tuple(example or _shortest_captions(examples)),
        licence=licence,
        data=description,
    )
    size, max_words = chosen.model.image_size, chosen.model.max_words
    with loop.process_group():
        shown, kept = _pictures(examples, judge.vocabulary, size, max_words, chosen.sampling)
        trainer = attngan.AttnganTrainer(
            chosen, shown, kept, header, damsm=judge, steps=steps, seed=seed, device=loop.device()
        )
        folder = run or Path(".runs") / header.id
        path = loop.run(trainer, loop.RunSettings(folder, steps=steps, minutes=minutes))
    if path:
        typer.echo(f"wrote {path}; copy it to checkpoints/ to use it")


@app.command("vse")
def train_vse(
    data: Data,
    domain: Domain = None,
    recipe: RecipeName = "small",
    steps: Steps = 5_000,
    minutes: Minutes = None,
    run: Run = None,
    threads: Threads = None,
    seed: Seed = 0,
) -> None:
    """Train SISGAN's text encoder: captions near their pictures."""
    chosen = _chosen(vse.RECIPES, recipe)
    _use_threads(threads)
    examples = read_split(data, "train")
    vocabulary = _vocabulary(examples)
    size, max_words = chosen.image_size, chosen.model.max_words
    with loop.process_group():
        shown, kept = _pictures(examples, vocabulary, size, max_words, chosen.sampling)
        trainer = vse.VseTrainer(chosen, shown, kept, steps=steps, seed=seed, device=loop.device())
        folder = run or Path(".runs") / f"vse-{domain or data.resolve().name}"
        path = loop.run(trainer, loop.RunSettings(folder, steps=steps, minutes=minutes))
    if path:
        typer.echo(f"wrote {path}; give it to `python -m training sisgan --text`")


@app.command("sisgan")
def train_sisgan(
    data: Data,
    text: Annotated[Path, typer.Option(help="vse.safetensors of a vse run.")],
    domain: Domain = None,
    recipe: RecipeName = "small",
    steps: Steps = 20_000,
    minutes: Minutes = None,
    run: Run = None,
    example: Examples = None,
    description: Description = "",
    licence: Licence = "research use",
    threads: Threads = None,
    seed: Seed = 0,
) -> None:
    """Train SISGAN: a picture and a caption to a new picture, with the reader of a vse run."""
    chosen = _chosen(sisgan.RECIPES, recipe)
    _use_threads(threads)
    reader = SentenceReader.load(text)
    examples = read_split(data, "train")
    header = Header(
        system="sisgan",
        domain=domain or data.resolve().name,
        image_size=chosen.model.image_size,
        config={},
        words=reader.vocabulary.words,
        examples=tuple(example or _shortest_captions(examples)),
        licence=licence,
        data=description,
    )
    size, max_words = chosen.model.image_size, reader.cfg.max_words
    with loop.process_group():
        shown, kept = _pictures(examples, reader.vocabulary, size, max_words, chosen.sampling)
        trainer = sisgan.SisganTrainer(
            chosen, shown, kept, header, text=reader, steps=steps, seed=seed, device=loop.device()
        )
        folder = run or Path(".runs") / header.id
        path = loop.run(trainer, loop.RunSettings(folder, steps=steps, minutes=minutes))
    if path:
        typer.echo(f"wrote {path}; copy it to checkpoints/ to use it")


@app.command("plot")
def plot(
    run: Annotated[Path, typer.Argument(help="Folder of a run, such as .runs/tagan-flowers-64.")],
    out: Annotated[Path | None, typer.Option(help="Picture; default: log.png in it.")] = None,
) -> None:
    """Draw a run's losses."""
    path = out or run / "log.png"
    plot_log(run, path)
    typer.echo(f"wrote {path}")


app.command("evaluate")(evaluate.main)


@app.command("ship")
def ship(
    checkpoint: Annotated[Path, typer.Argument(help="The run's exported checkpoint.")],
    evaluation: Annotated[Path, typer.Option(help="metrics.json of `evaluate`.")],
    sample: Annotated[list[Path] | None, typer.Option(help="Picture for the sheet.")] = None,
    out: Annotated[Path, typer.Option(help="Where to.")] = Path("checkpoints"),
    note: Annotated[list[str] | None, typer.Option(help="Sentence for the card.")] = None,
) -> None:
    """Copy a measured checkpoint to where it is served from, with its card and sample sheet."""
    typer.echo(f"wrote {card.ship(checkpoint, evaluation, sample or [], out, note or [])}")


def split_kept(examples: list[Example]) -> tuple[list[Example], list[Example]]:
    """Pictures to train on, and one in twenty to look at; at least one of each."""
    kept = examples[::_KEPT_SHARE]
    return [e for i, e in enumerate(examples) if i % _KEPT_SHARE] or examples, kept


def _chosen(recipes: Mapping[str, R], name: str) -> R:
    if name not in recipes:
        raise typer.BadParameter(f"no recipe {name!r}; there is: {', '.join(recipes)}")
    return recipes[name]


def _use_threads(threads: int | None) -> None:
    if threads:
        torch.set_num_threads(threads)


def _vocabulary(examples: list[Example]) -> Vocabulary:
    return Vocabulary.build(caption for e in examples for caption in e.captions)


def _pictures(
    examples: list[Example],
    vocabulary: Vocabulary,
    image_size: int,
    max_words: int,
    sampling: Sampling,
) -> tuple[CaptionedPictures, CaptionedPictures]:
    """Those to train on, and those to look at."""
    shown, kept = (
        CaptionedPictures(
            part,
            vocabulary,
            image_size=image_size,
            max_words=max_words,
            cache=Path(".cache"),
            sampling=sampling,
        )
        for part in split_kept(examples)
    )
    return shown, kept


def _shortest_captions(examples: list[Example], count: int = 5) -> list[str]:
    """A few different short captions, for a data set that came without examples."""
    captions = {caption for e in examples for caption in e.captions if len(caption.split()) > 2}
    return sorted(captions, key=lambda caption: (len(caption), caption))[:count]


if __name__ == "__main__":
    app()
