"""`wordbrush keys`: make, list and revoke API keys."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.keys import DEFAULT_LIMIT, BadKeyFile, BadLimit, BadName, KeyFile, Scope, UnknownKey
from app.settings import Settings
from app.terminal import refusals_told

commands = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

DataDir = Annotated[
    Path | None, typer.Option(help="Of the service whose keys they are.", file_okay=False)
]


@commands.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is, in your words.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="May be repeated; edit, generate and read if left out."),
    ] = None,
    limit: Annotated[str, typer.Option(help="Requests that it is good for.")] = DEFAULT_LIMIT,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print it: it is kept as a hash, and can't be printed again."""
    scopes = scope or [Scope.EDIT, Scope.GENERATE, Scope.READ]
    try:
        with refusals_told(BadKeyFile, BadName):
            typer.echo(_keys(data_dir).create(name, scopes, limit))
    except BadLimit as error:
        raise typer.BadParameter(str(error), param_hint="--limit") from None


@commands.command("list")
def list_keys(data_dir: DataDir = None) -> None:
    """List the keys that are in force, without their secrets."""
    table = Table("id", "name", "scopes", "limit", "made", box=None)
    with refusals_told(BadKeyFile):
        for key in _keys(data_dir):
            name = escape(key.name)  # rich would take [/] in it for markup
            table.add_row(key.id, name, ", ".join(key.scopes), key.limit, key.created_at)
    Console().print(table if table.row_count else "there are none; see `wordbrush keys create`")


@commands.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="As `wordbrush keys list` shows it.")],
    data_dir: DataDir = None,
) -> None:
    """End a key: it is refused from now on, and so are the browsers signed in with it."""
    with refusals_told(BadKeyFile, UnknownKey):
        _keys(data_dir).revoke(key_id)


def _keys(data_dir: Path | None) -> KeyFile:
    settings = Settings(data_dir=data_dir) if data_dir else Settings()
    return KeyFile(settings.keys_file)
