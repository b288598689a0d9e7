"""The command `wordbrush`: up, web, worker, edit, generate, batch, retry, keys, models, ..."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from app import batch_command, key_commands, picture_commands, webhook_commands
from app.settings import Settings
from app.terminal import in_words, refusals_told
from worker.settings import BadSettings

cli = typer.Typer(help="Edit pictures with words.", no_args_is_help=True)
cli.add_typer(key_commands.commands, name="keys")
cli.add_typer(webhook_commands.commands, name="webhooks")
picture_commands.register(cli)
cli.command()(batch_command.batch)

Host = Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 if not given.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="8000 if not given; 0: any that is free.")
]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Where pictures, jobs and your own checkpoints are kept.", file_okay=False),
]
Access = Annotated[
    Literal["auto", "keys", "open"] | None,
    typer.Option(help="Who may ask; auto: without a key only from this machine."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="One for each GPU, or one, if not given.")]


def main() -> None:
    """Run the command that the process was started with."""
    try:
        cli()
    except BadSettings as error:
        typer.secho(f"wordbrush: {error}", err=True, fg="red")
        sys.exit(2)
    except OSError as error:
        if error.filename is None:  # else it is of a file or a folder, such as --data-dir
            raise
        typer.secho(f"wordbrush: {in_words(error)}", err=True, fg="red")
        sys.exit(1)


@cli.command()
def up(
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    access: Access = None,
    data_dir: DataDir = None,
) -> None:
    """Run everything on this machine: queue server, workers and web server. Ctrl-C stops it."""
    from app import supervisor
    from app.access import NoKeys
    from app.occupancy import DataDirTaken, PortTaken
    from app.queue_server import NoQueueServer
    from worker.queue import QueueDown
    from worker.tracing import TracingNotInstalled

    settings = _settings(host=host, port=port, access=access, data_dir=data_dir)
    with refusals_told(
        NoKeys,
        TracingNotInstalled,
        DataDirTaken,
        PortTaken,
        NoQueueServer,
        supervisor.GuardLost,
        QueueDown,
    ):
        supervisor.up(settings, workers, typer.echo)


@cli.command()
def web(
    host: Host = None, port: Port = None, access: Access = None, data_dir: DataDir = None
) -> None:
    """Run the web server alone; REDIS_URL and WORDBRUSH_STORE_URL name the rest."""
    from app.access import NoKeys
    from app.main import create_app
    from app.occupancy import PortTaken, claim_port
    from app.server import serve
    from worker import logs
    from worker.store import StoreDown
    from worker.tracing import TracingNotInstalled

    settings = _settings(host=host, port=port, access=access, data_dir=data_dir)
    with refusals_told(NoKeys, StoreDown, TracingNotInstalled, PortTaken):
        app = create_app(settings)
        port = claim_port(settings.host, settings.port)
    logs.configure("web", settings.log_format)
    serve(app, settings.host, port)


@cli.command()
def worker(data_dir: DataDir = None) -> None:
    """Run one worker alone; REDIS_URL and WORDBRUSH_STORE_URL name the rest."""
    from worker.tracing import TracingNotInstalled, is_wanted

    environment = os.environ | _settings(data_dir=data_dir).to_environment()
    with refusals_told(TracingNotInstalled):
        is_wanted()  # the worker would say so seconds later, when it has loaded torch
    os.execve(sys.executable, [sys.executable, "-m", "worker"], environment)


@cli.command()
def models(data_dir: DataDir = None) -> None:
    """List the checkpoints that are served."""
    from app.catalogue import Catalogue

    table = Table("model", "system", "size", "steps", "licence", box=None)
    for header in Catalogue(_settings(data_dir=data_dir).checkpoints):
        size = f"{header.image_size} px"
        table.add_row(header.id, header.spec.title, size, f"{header.steps:,}", header.licence)
    Console().print(table if table.row_count else "there is no checkpoint; see `wordbrush doctor`")


@cli.command("webhook-secret")
def webhook_secret(data_dir: DataDir = None) -> None:
    """Print what webhooks are signed with, for whoever receives them."""
    from app.webhooks import Secret

    typer.echo(Secret(_settings(data_dir=data_dir)).read())


@cli.command("import-weights")
def import_weights(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="The authors' files as they are: .pth, captions.pickle, fastText's .vec.",
            exists=True,
            dir_okay=False,
        ),
    ],
    system: Annotated[str, typer.Option(help="Whose they are, such as tagan.")],
    domain: Annotated[str, typer.Option(help="What they draw, such as birds.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder; your own checkpoints' if not given.", file_okay=False),
    ] = None,
    example: Annotated[
        list[str] | None, typer.Option(help="Caption to offer in the form; may be repeated.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a checkpoint of the weights that a paper's authors published."""
    folder = out or _settings(data_dir=data_dir).checkpoints[-1]
    options = ["--system", system, "--domain", domain, "--out", str(folder)]
    options += [word for caption in example or () for word in ("--example", caption)]
    command = [sys.executable, "-m", "models.import_upstream", *options, "--", *map(str, files)]
    os.execve(sys.executable, command, dict(os.environ))  # a process of its own: it needs torch


@cli.command()
def doctor(host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """Say what is wrong with this installation, and what to do about it."""
    from app.doctor import examine

    console = Console()
    is_well = True
    for finding in examine(_settings(host=host, port=port, data_dir=data_dir)):
        mark = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "broken": "[red]broken[/]"}
        console.print(f"{mark[finding.verdict]:<16} {finding.subject}: ", end="")
        console.print(finding.words, markup=False, highlight=False)
        is_well = is_well and finding.verdict != "broken"
    raise typer.Exit(0 if is_well else 1)


def _settings(**given: Any) -> Settings:
    """The environment's settings with those from the command line over them."""
    return Settings(**{name: value for name, value in given.items() if value is not None})
