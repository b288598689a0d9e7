"""`wordbrush webhooks`: who was to hear of an end and did not."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.terminal import Key, RunningServer, running_service

commands = typer.Typer(
    help="List webhooks that were given up, send them again.", no_args_is_help=True
)


@commands.command("list")
def list_webhooks(server: RunningServer = None, key: Key = None) -> None:
    """List the webhooks that were given up, the last one first."""
    table = Table("id", "host", "attempts", "problem", "given up at", box=None)
    with running_service(server, key) as client:
        for one in client.webhooks():
            table.add_row(one.id, one.host, str(one.attempts), one.problem, one.given_up_at)
    Console().print(table if table.row_count else "there are none")


@commands.command()
def resend(
    webhook_id: Annotated[str, typer.Argument(help="`job_<id>` or `batch_<id>`.")],
    server: RunningServer = None,
    key: Key = None,
) -> None:
    """Tell a receiver once more how a job or a batch ended."""
    with running_service(server, key) as client:
        client.resend_webhook(webhook_id)
