"""Commands for what a run has left: draw its losses, measure its checkpoint, ship it."""

from pathlib import Path
from typing import Annotated

import typer

from models.checkpoint import read_header
from models.registry import Task
from training import card, evaluate, search_card
from training.plot import plot_log

_PANEL = "Afterwards"

app = typer.Typer()


@app.command("plot", rich_help_panel=_PANEL)
def plot(
    run: Annotated[Path, typer.Argument(help="Folder of a run, such as .runs/tagan-flowers-64.")],
    out: Annotated[Path | None, typer.Option(help="Picture; default: log.png in it.")] = None,
) -> None:
    """Draw a run's losses."""
    path = out or run / "log.png"
    plot_log(run, path)
    typer.echo(f"wrote {path}")


app.command("evaluate", rich_help_panel=_PANEL)(evaluate.main)


@app.command("ship", rich_help_panel=_PANEL)
def ship(
    checkpoint: Annotated[Path, typer.Argument(help="The run's exported checkpoint.")],
    evaluation: Annotated[Path, typer.Option(help="What `evaluate` or `recall` wrote.")],
    sample: Annotated[list[Path] | None, typer.Option(help="Picture for the sheet.")] = None,
    out: Annotated[Path, typer.Option(help="Where to.")] = Path("checkpoints"),
    note: Annotated[list[str] | None, typer.Option(help="Sentence for the card.")] = None,
) -> None:
    """Copy a measured checkpoint to where it is served from, with its card and sample sheet."""
    searches = Task.SEARCH in read_header(checkpoint).spec.tasks
    write = search_card.ship if searches else card.ship
    path = write(checkpoint, evaluation, sample or [], out, note or [])
    typer.echo(f"wrote {path}")
