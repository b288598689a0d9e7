"""`wordbrush edit`, `generate` and `batch`: pictures from the terminal, here or on a server."""

import csv
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO
from zipfile import ZIP_STORED, ZipFile

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.borrowed import NoService, service
from app.catalogue import Catalogue
from app.settings import Settings
from wordbrush import Batch, Client, Job, WordbrushError

_FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
_NAMING = ("image", "image_to")  # fields of a line that name a picture of the folder
_FINISHED_NAME = re.compile(r"\d{5,6}-\d{1,3}\.(png|jpg|webp)")


def _models(incomplete: str) -> list[str]:
    """Ids of the checkpoints here, for the shell to complete."""
    found = (header.id for header in Catalogue(Settings().checkpoints))
    return [model for model in found if model.startswith(incomplete)]


Caption = Annotated[str, typer.Argument(help='What it shall be: "a red flower".')]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", help="File for the picture, whose ending says its format; - is stdout."
    ),
]
ModelId = Annotated[
    str | None, typer.Option("--model", "-m", help="As `models` lists.", autocompletion=_models)
]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="The same: the same again.")]
Variations = Annotated[int, typer.Option("--variations", "-n", min=1, max=8, help="How many.")]
CaptionTo = Annotated[
    str | None, typer.Option(help="Go from the caption to this one, in several pictures.")
]
Steps = Annotated[
    int | None, typer.Option(min=2, max=16, help="Pictures on the way, both ends included.")
]
Server = Annotated[
    str | None,
    typer.Option(
        envvar="WORDBRUSH_SERVER",
        help="Address of a server; if not given, the one here, or one for the moment.",
    ),
]
Key = Annotated[str | None, typer.Option(envvar="WORDBRUSH_KEY", help="API key of the server.")]


def edit(
    photo: Annotated[Path, typer.Argument(help="The photo; - is stdin.", allow_dash=True)],
    caption: Caption,
    out: Out = None,
    model: ModelId = None,
    seed: Seed = None,
    variations: Variations = 1,
    crop: Annotated[
        str | None, typer.Option(help="left,top,width,height in pixels: what may change.")
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Picture: white may change.", exists=True, dir_okay=False)
    ] = None,
    caption_to: CaptionTo = None,
    image_to: Annotated[
        Path | None,
        typer.Option(help="Or from the photo to this one.", exists=True, dir_okay=False),
    ] = None,
    steps: Steps = None,
    preview: Annotated[bool, typer.Option(help="At most 768 pixels on the long side.")] = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Change what the caption names in a photo and keep the rest."""
    _check_out(out, variations > 1 or bool(caption_to or image_to))
    data = sys.stdin.buffer.read() if str(photo) == "-" else _read(photo)
    with _client(server, key) as client:
        job = client.edit(
            data,
            caption,
            model=model,
            seed=seed,
            variations=variations,
            crop=_box(crop),
            mask=mask,
            caption_to=caption_to,
            image_to=image_to,
            steps=steps,
            full_resolution=not preview,
            format=_format(out),
        )
        _write(client, job, out)


def generate(
    caption: Caption,
    out: Out = None,
    model: ModelId = None,
    seed: Seed = None,
    variations: Variations = 1,
    caption_to: CaptionTo = None,
    steps: Steps = None,
    server: Server = None,
    key: Key = None,
) -> None:
    """Draw what the caption says, from words alone."""
    _check_out(out, variations > 1 or bool(caption_to))
    with _client(server, key) as client:
        job = client.generate(
            caption,
            model=model,
            seed=seed,
            variations=variations,
            caption_to=caption_to,
            steps=steps,
            format=_format(out),
        )
        _write(client, job, out)


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
    with _client(server, key) as client, TemporaryFile() as zipped:
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


def register(cli: typer.Typer) -> None:
    """Makes these commands of `cli`."""
    for command in (edit, generate, batch):
        cli.command()(command)


@contextmanager
def _client(server: str | None, key: str | None) -> Iterator[Client]:
    """A client of the service to use; what goes wrong is said in a line."""
    try:
        with (
            service(server, Settings(), lambda line: typer.echo(line, err=True)) as address,
            Client(address, key=key) as client,
        ):
            yield client
    except (WordbrushError, NoService, httpx.InvalidURL, OSError) as error:
        typer.secho(f"wordbrush: {error}", err=True, fg="red")
        if suggestions := getattr(error, "suggestions", ()):
            typer.echo(f"try: {', '.join(suggestions)}", err=True)
        raise typer.Exit(1) from None


def _check_out(out: Path | None, are_several: bool) -> None:
    """Refuse before any work what could not be written after it."""
    if out is None or str(out) == "-":
        if sys.stdout.isatty():
            raise typer.BadParameter("a terminal shows no pictures, wanted --out FILE or a pipe")
        if are_several:
            raise typer.BadParameter("several pictures need --out FILE")
    elif out.suffix.lower() not in _FORMATS:
        raise typer.BadParameter(f"--out: wanted a name that ends in {', '.join(_FORMATS)}")


def _read(photo: Path) -> bytes:
    try:
        return photo.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{photo} cannot be read: {error.strerror}") from None


def _box(crop: str | None) -> tuple[int, int, int, int] | None:
    if crop is None:
        return None
    try:
        left, top, width, height = map(int, crop.split(","))
    except ValueError:
        raise typer.BadParameter("--crop: wanted left,top,width,height") from None
    return left, top, width, height


def _format(out: Path | None) -> str | None:
    return _FORMATS.get(out.suffix.lower()) if out else None


def _write(client: Client, job: Job, out: Path | None) -> None:
    """The pictures, numbered if there are several."""
    for word in job.unknown_words:
        nearest = ", ".join(word["nearest"])
        hint = f" (near: {nearest})" if nearest else ""
        typer.echo(f"the model does not know the word {word['word']!r}{hint}", err=True)
    for number, output in enumerate(job.outputs):
        data = client.image(output)
        if out is None or str(out) == "-":
            sys.stdout.buffer.write(data)
            return
        path = out if len(job.outputs) == 1 else out.with_stem(f"{out.stem}-{number}")
        path.write_bytes(data)
        typer.echo(f"{path}  {output.width} x {output.height}, seed {output.seed}", err=True)


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
