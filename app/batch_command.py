"""`wordbrush batch`: a picture for each line of a file, here or on a server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.batch_folder import Awaited, BatchFolder
from app.batch_photos import NoPictures, pack
from app.terminal import Key, ModelId, Seed, Server, any_service, is_momentary, told
from wordbrush import Batch, Client, Refused

_CTRL_C = 130  # as shells have it
_PIECE = 1 << 20  # bytes read at a time
_MAX_TOLD = 10  # pictures, and letters of their names
_MAX_TOLD_LETTERS = 80


def batch(
    captions: Annotated[
        Path,
        typer.Argument(
            help="CSV or JSONL: caption, image, and optionally model, seed, ... in each line.",
            exists=True,
            dir_okay=False,
        ),
    ],
    images: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of the pictures that the lines name; none outside is sent.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the results.", file_okay=False)
    ] = Path("out"),
    model: ModelId = None,
    seed: Seed = None,
    server: Server = None,
    key: Key = None,
) -> None:
    """Do a picture for each line of a file; results and `manifest.jsonl` go into a folder.

    Cut off on the way, the same command goes on with the same batch. Pictures that an earlier
    `manifest.jsonl` in the folder lists are replaced or removed; other files there stay.
    """
    folder = _prepared(out)
    with told(), TemporaryFile() as zipped:
        lines = captions.read_bytes()
        if images is not None:
            lines = _pack(lines, images, zipped)
        request = _fingerprint(lines, zipped, model=model, seed=seed)
        with any_service(server, key) as client, _left_alone(folder, request):
            will_last = not is_momentary(client, server)
            begun = _awaited(client, folder, request)
            if begun is None:
                sent = zipped if images else None
                begun = client.create_batch(lines, sent, model=model, seed=seed)
                if will_last:
                    folder.wait_for(Awaited(client.server, begun.id, request))
                    _say(f"batch {begun.id}: cut off, the same command goes on with it")
            ended = _watch(client, begun, will_last=will_last)
            with TemporaryFile() as results:
                client.download_batch(ended, results)
                folder.fill(results)
    counts = ended.request_counts
    ends = {"done": counts["succeeded"], "failed": counts["failed"]}
    ends |= {how: counts[how] for how in ("canceled", "expired") if counts[how]}
    _say(f"{', '.join(f'{number} {end}' for end, number in ends.items())}: {out}")
    if counts["failed"]:
        _say(f"why: `error` in the lines of {folder.manifest}")
    if ended.status == "canceled" and not will_last:  # nobody else could
        raise typer.Exit(_CTRL_C)
    if counts["succeeded"] < counts["total"]:
        raise typer.Exit(1)


def _prepared(out: Path) -> BatchFolder:
    """Refuse before any work what could not be written after it."""
    folder = BatchFolder(out)
    try:
        folder.prepare()
    except OSError as error:
        raise typer.BadParameter(f"--out: {out} cannot be written to: {error.strerror}") from None
    return folder


def _fingerprint(lines: bytes, zipped: BinaryIO, **options: Any) -> str:
    """What tells one request from another: all that is sent."""
    whole = sha256(json.dumps([len(lines), options]).encode() + lines)
    while piece := zipped.read(_PIECE):
        whole.update(piece)
    zipped.seek(0)
    return whole.hexdigest()


def _awaited(client: Client, folder: BatchFolder, request: str) -> Batch | None:
    """The batch that the same command began before, if the server still has it."""
    if (awaited := folder.awaited()) is None:
        return None
    if (awaited.server, awaited.request) != (client.server, request):
        _say(f"leaving batch {awaited.batch} at {awaited.server} alone, this is another request")
        return None
    try:
        batch = client.batch(awaited.batch)
    except Refused as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        batch = None
    if batch is None or batch.status == "expired":
        _say(f"the server no longer has batch {awaited.batch}, beginning anew")
        return None
    _say(f"going on with batch {batch.id}")
    return batch


def _pack(lines: bytes, images: Path, into: BinaryIO) -> bytes:
    """The lines as they are to be sent with a ZIP of their pictures; says what is left out."""
    try:
        packed = pack(lines, images, into)
    except NoPictures as error:
        raise typer.BadParameter(str(error)) from None
    for name, why in islice(packed.left_out.items(), _MAX_TOLD):
        _say(f"not sent, so its lines fail: {name[:_MAX_TOLD_LETTERS]!r}, {why}")
    if (more := len(packed.left_out) - _MAX_TOLD) > 0:
        _say(f"not sent, so their lines fail: {more:,} more")
    return packed.lines


@contextmanager
def _left_alone(folder: BatchFolder, request: str) -> Iterator[None]:
    """Ctrl-C ends the command and not the batch that it waits for."""
    try:
        yield
    except KeyboardInterrupt:
        awaited = folder.awaited()
        if awaited is None or awaited.request != request:
            raise
        _say(
            f"batch {awaited.batch} goes on without this command: the same again waits for it and "
            f"fetches it, {awaited.server}/about/queue can stop it"
        )
        raise typer.Exit(_CTRL_C) from None


def _watch(client: Client, batch: Batch, *, will_last: bool) -> Batch:
    """The batch at its end, with a bar on the way; where the server will not last, Ctrl-C leaves
    undone what is not done.
    """
    columns = (TextColumn("pictures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("pictures", total=batch.request_counts["total"])

        def show(now: Batch) -> None:
            counts = now.request_counts
            progress.update(bar, completed=counts["succeeded"] + counts["failed"])

        try:
            return client.wait_for_batch(batch, on_progress=show)
        except KeyboardInterrupt:
            if will_last:
                raise
            return client.cancel_batch(batch)


def _say(line: str) -> None:
    typer.echo(line, err=True)
