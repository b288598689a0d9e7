"""Commands that train and measure systems that find pictures."""

from pathlib import Path

import typer

from training import loop, recall, tirg
from training.commands.options import SystemOptions, command
from training.commands.running import chosen, describe, run, split_kept
from training.data import read_split
from training.queries import queries_of
from training.seen import SeenPictures

_PANEL = "Systems that find pictures"

app = typer.Typer()


@command(app, "tirg", panel=_PANEL, steps=3_000)
def train_tirg(options: SystemOptions) -> None:
    """Train TIRG: a picture and words to pictures that are like it, but as the words say."""
    recipe = chosen(options, tirg.RECIPES)
    examples = read_split(options.data, "train")
    words = queries_of(examples).vocabulary().words
    size = recipe.model.image_size
    header = describe(options, examples, words, system="tirg", image_size=size)

    def trainer() -> loop.Trainer:
        shown, kept = (
            SeenPictures(part, image_size=size, cache=Path(".cache"))
            for part in split_kept(examples)
        )
        return tirg.TirgTrainer(
            recipe,
            shown,
            kept,
            header,
            steps=options.steps,
            seed=options.seed,
            device=loop.device(),
        )

    if path := run(options, header.id, recipe, trainer):
        typer.echo(f"wrote {path}; copy it to checkpoints/ to use it")


app.command("recall", rich_help_panel=_PANEL)(recall.main)
