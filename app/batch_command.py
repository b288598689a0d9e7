"""`wordbrush batch`: a picture for each line of a file, here or on a server."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO
from zipfile import ZIP_STORED, ZipFile

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.terminal import Key, ModelId, Seed, Server, any_service
from wordbrush import Batch, Client

_NAMING = ("image", "image_to")  # fields of a line that name a picture of the folder
_FINISHED_NAME = re.compile(r"\d{5,6}-\d{1,3}\.(png|jpg|webp)")


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
            help="Folder of the pictures that the lines name.", exists=True, file_okay=False
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
    """Do a picture for each line of a file; results and `manifest.jsonl` go into a folder."""
    with any_service(server, key) as client, TemporaryFile() as zipped:
        if images is not None:
            _zip(captions, images, zipped)
        begun = client.create_batch(captions, zipped if images else None, model=model, seed=seed)
        ended = _watch(client, begun)
        with TemporaryFile() as results:
            client.download_batch(ended, results)
            _unpack(results, out)
    counts = ended.request_counts
    typer.echo(f"{counts['succeeded']} done, {counts['failed']} failed: {out}", err=True)
    if counts["failed"] or counts["canceled"]:
        raise typer.Exit(1)


def _zip(captions: Path, images: Path, into: BinaryIO) -> None:
    """The pictures that the lines name, as they are; one that is missing fails its line."""
    with ZipFile(into, "w", ZIP_STORED) as archive:
        for name in dict.fromkeys(_names(captions)):
            if (images / name).is_file():
                archive.write(images / name, name)
    into.seek(0)


def _names(captions: Path) -> Iterator[str]:
    """What the lines call their pictures; what is wrong with a line, the server says."""
    text = captions.read_text(encoding="utf-8-sig", errors="replace")
    if not text.lstrip().startswith("{"):
        for cells in csv.DictReader(text.splitlines()):
            yield from filter(None, map(cells.get, _NAMING))
        return
    for line in text.splitlines():
        try:
            row: Any = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield from (row[field] for field in _NAMING if isinstance(row.get(field), str))


def _watch(client: Client, batch: Batch) -> Batch:
    """The batch at its end, with a bar on the way; Ctrl-C leaves undone what is not done."""
    columns = (TextColumn("pictures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("pictures", total=batch.request_counts["total"])

        def show(now: Batch) -> None:
            counts = now.request_counts
            progress.update(bar, completed=counts["succeeded"] + counts["failed"])

        try:
            return client.wait_for_batch(batch, on_progress=show)
        except KeyboardInterrupt:
            return client.cancel_batch(batch)


def _unpack(results: BinaryIO, out: Path) -> None:
    """Only names as a server of ours writes them, whoever it is that answered."""
    out.mkdir(parents=True, exist_ok=True)
    with ZipFile(results) as archive:
        for name in archive.namelist():
            if _FINISHED_NAME.fullmatch(name) or name == "manifest.jsonl":
                (out / name).write_bytes(archive.read(name))
