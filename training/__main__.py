"""Train a system on a folder of captioned pictures, then evaluate its checkpoint.

A text encoder comes first where a system reads by one; docs/training.md has the commands in order.
"""

import typer

from models.heap import TRAINING, keep_freed
from training.commands import drawing, editing, encoders, results, searching

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
for family in (encoders, editing, drawing, searching, results):
    app.add_typer(family.app)


@app.callback()
def begin() -> None:
    """Before each command."""
    keep_freed(*TRAINING)


if __name__ == "__main__":
    app()
