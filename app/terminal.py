"""What the commands that speak to a service share: their options, and the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated

import httpx
import typer

from app.borrowed import NoService, running, service
from app.catalogue import Catalogue
from app.settings import Settings
from wordbrush import Client, WordbrushError


def _models(incomplete: str) -> list[str]:
    """Ids of the checkpoints here, for the shell to complete."""
    found = (header.id for header in Catalogue(Settings().checkpoints))
    return [model for model in found if model.startswith(incomplete)]


ModelId = Annotated[
    str | None, typer.Option("--model", "-m", help="As `models` lists.", autocompletion=_models)
]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="The same: the same again.")]
Server = Annotated[
    str | None,
    typer.Option(
        envvar="WORDBRUSH_SERVER",
        help="Address of a server; if not given, the one here, or one for the moment.",
    ),
]
RunningServer = Annotated[
    str | None,
    typer.Option(
        envvar="WORDBRUSH_SERVER", help="Address of a server; if not given, the one here."
    ),
]
Key = Annotated[str | None, typer.Option(envvar="WORDBRUSH_KEY", help="API key of the server.")]


@contextmanager
def any_service(server: str | None, key: str | None) -> Iterator[Client]:
    """A client of the service to use, which is started for the moment where none runs."""
    with (
        told(),
        service(server, Settings(), _say) as address,
        Client(address, key=key, on_absence=_say) as client,
    ):
        yield client


@contextmanager
def running_service(server: str | None, key: str | None) -> Iterator[Client]:
    """A client of a service that knows of earlier work, so of one that runs already."""
    with told(), Client(running(server, Settings()), key=key, on_absence=_say) as client:
        yield client


def is_momentary(client: Client, server: str | None) -> bool:
    """Whether the client's service was started for this command, and ends with it."""
    here = f"http://127.0.0.1:{Settings().port}"
    return server is None and httpx.URL(client.server) != httpx.URL(here)


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong is said in a line."""
    try:
        yield
    except (WordbrushError, NoService, OSError) as error:
        typer.secho(f"wordbrush: {in_words(error)}", err=True, fg="red")
        if suggestions := getattr(error, "suggestions", ()):
            typer.echo(f"try: {', '.join(suggestions)}", err=True)
        if getattr(error, "status", None) == HTTPStatus.UNAUTHORIZED:
            typer.echo("give one with --key or WORDBRUSH_KEY", err=True)
        raise typer.Exit(1) from None


@contextmanager
def refusals_told(*kinds: type[Exception]) -> Iterator[None]:
    """An error of `kinds`, each of which says what is wrong, is said in a line and ends the command
    with status 1.
    """
    try:
        yield
    except kinds as error:
        typer.secho(f"wordbrush: {error}", err=True, fg="red")
        raise typer.Exit(1) from None


def in_words(error: Exception) -> str:
    """What went wrong, as a person wants to read it."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _say(line: str) -> None:
    typer.echo(line, err=True)
