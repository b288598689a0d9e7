"""`python -m training`: train a system on a folder of captioned pictures, evaluate a checkpoint."""

from pathlib import Path
from typing import Annotated

import torch
import typer

from models.checkpoint import Header
from models.text.vocabulary import Vocabulary
from training import card, evaluate, loop, tagan
from training.data import CaptionedPictures, Example, read_split
from training.plot import plot_log

_KEPT_SHARE = 20  # one picture in so many is kept from training, to be looked at

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.command("tagan")
def train_tagan(
    data: Annotated[Path, typer.Option(help="Folder with train/metadata.jsonl and pictures.")],
    domain: Annotated[str | None, typer.Option(help="Its name; default: the folder's.")] = None,
    recipe: Annotated[str, typer.Option(help="small (for two CPU cores) or paper.")] = "small",
    steps: Annotated[int, typer.Option(help="Optimiser steps, over all resumed runs.")] = 10_000,
    minutes: Annotated[float | None, typer.Option(help="Stop, resumable, after so long.")] = None,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; default: .runs/ID.")] = None,
    example: Annotated[list[str] | None, typer.Option(help="Caption for sheets and form.")] = None,
    description: Annotated[str, typer.Option(help="What the data are, for the card.")] = "",
    licence: Annotated[str, typer.Option(help="Use allowed for the weights.")] = "research use",
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and noise.")] = 0,
) -> None:
    """Train TAGAN: a picture and a caption to the edited picture."""
    if recipe not in tagan.RECIPES:
        raise typer.BadParameter(f"no recipe {recipe!r}; there is: {', '.join(tagan.RECIPES)}")
    if threads:
        torch.set_num_threads(threads)
    chosen = tagan.RECIPES[recipe]
    examples = read_split(data, "train")
    vocabulary = Vocabulary.build(caption for e in examples for caption in e.captions)
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
    with loop.process_group():
        shown, kept = (
            CaptionedPictures(
                part,
                vocabulary,
                image_size=chosen.model.image_size,
                max_words=chosen.model.max_words,
                cache=Path(".cache"),
                sampling=chosen.sampling,
            )
            for part in split_kept(examples)
        )
        trainer = tagan.TaganTrainer(
            chosen, shown, kept, header, steps=steps, seed=seed, device=loop.device()
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
) -> None:
    """Copy a measured checkpoint to where it is served from, with its card and sample sheet."""
    typer.echo(f"wrote {card.ship(checkpoint, evaluation, sample or [], out)}")


def split_kept(examples: list[Example]) -> tuple[list[Example], list[Example]]:
    """Pictures to train on, and one in twenty to look at; at least one of each."""
    kept = examples[::_KEPT_SHARE]
    return [e for i, e in enumerate(examples) if i % _KEPT_SHARE] or examples, kept


def _shortest_captions(examples: list[Example], count: int = 5) -> list[str]:
    """A few different short captions, for a data set that came without examples."""
    captions = {caption for e in examples for caption in e.captions if len(caption.split()) > 2}
    return sorted(captions, key=lambda caption: (len(caption), caption))[:count]


if __name__ == "__main__":
    app()
