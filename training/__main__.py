"""`python -m training`: train a system on a folder of captioned pictures, evaluate a checkpoint."""

import typer

from training.commands import drawing, editing, encoders, results

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
for family in (encoders, editing, drawing, results):
    app.add_typer(family.app)


if __name__ == "__main__":
    app()
