"""`wordbrush edit`, `generate` and `retry`: pictures from the terminal, here or on a server."""

import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Literal

import typer

from app.terminal import Key, ModelId, RunningServer, Seed, Server, any_service, running_service
from wordbrush import Client, Job

_FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}

Caption = Annotated[str, typer.Argument(help='What it shall be: "a red flower".')]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", help="File for the picture, whose ending says its format; - is stdout."
    ),
]
Variations = Annotated[int, typer.Option("--variations", "-n", min=1, max=8, help="How many.")]
Format = Annotated[
    Literal["png", "jpeg", "webp"] | None,
    typer.Option("--format", "-f", help="Of what goes to stdout: as the photo came, if not given."),
]
CaptionTo = Annotated[
    str | None, typer.Option(help="Go from the caption to this one, in several pictures.")
]
Steps = Annotated[
    int | None, typer.Option(min=2, max=16, help="Pictures on the way, both ends included.")
]


def edit(
    photo: Annotated[Path, typer.Argument(help="The photo; - is stdin.", allow_dash=True)],
    caption: Caption,
    out: Out = None,
    model: ModelId = None,
    seed: Seed = None,
    variations: Variations = 1,
    format: Format = None,
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
    _check_out(out, variations > 1 or bool(caption_to or image_to), format)
    data = _piped() if str(photo) == "-" else _read(photo)
    with any_service(server, key) as client:
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
            format=format or _format(out),
        )
        _write(client, job, out)


def generate(
    caption: Caption,
    out: Out = None,
    model: ModelId = None,
    seed: Seed = None,
    variations: Variations = 1,
    format: Format = None,
    caption_to: CaptionTo = None,
    steps: Steps = None,
    server: Server = None,
    key: Key = None,
) -> None:
    """Draw what the caption says, from words alone."""
    _check_out(out, variations > 1 or bool(caption_to), format)
    with any_service(server, key) as client:
        job = client.generate(
            caption,
            model=model,
            seed=seed,
            variations=variations,
            caption_to=caption_to,
            steps=steps,
            format=format or _format(out),
        )
        _write(client, job, out)


def retry(
    job_id: Annotated[str, typer.Argument(help="Of a job that failed, was canceled or expired.")],
    out: Out = None,
    server: RunningServer = None,
    key: Key = None,
) -> None:
    """Ask again for a job that came to nothing, as it was asked for."""
    _check_out(out, False)
    with running_service(server, key) as client:
        job = client.retry(client.job(job_id))
        _check_out(out, len(job.outputs) > 1)
        _write(client, job, out)


def register(cli: typer.Typer) -> None:
    """Makes these commands of `cli`."""
    for command in (edit, generate, retry):
        cli.command()(command)


def _check_out(out: Path | None, are_several: bool, format: str | None = None) -> None:
    """Refuse before any work what could not be written after it."""
    if out is None or str(out) == "-":
        if sys.stdout is None or sys.stdout.isatty():  # None: it was closed
            raise typer.BadParameter("a terminal shows no pictures, wanted --out FILE or a pipe")
        if are_several:
            raise typer.BadParameter("several pictures need --out FILE")
        return
    if out.suffix.lower() not in _FORMATS:
        raise typer.BadParameter(f"--out: wanted a name that ends in {', '.join(_FORMATS)}")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"--out: there is no folder {out.parent}")
    if out.is_dir():
        raise typer.BadParameter(f"--out: {out} is a folder, wanted a name for the file")
    if not out.exists():
        _check_folder(out.parent)
    if format not in (None, _format(out)):
        raise typer.BadParameter("--format: the ending of --out says it")


def _check_folder(folder: Path) -> None:
    try:
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise typer.BadParameter(
            f"--out: {folder} cannot be written to: {error.strerror}"
        ) from None


def _piped() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():  # None: it was closed
        raise typer.BadParameter("-: nothing is piped in, wanted a photo or the name of one")
    return sys.stdin.buffer.read()


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
        if f"image/{_FORMATS[path.suffix.lower()]}" != output.media_type:  # a retry has the first's
            path = path.with_suffix(output.media_type.replace("image/", ".").replace("jpeg", "jpg"))
        _save(path, data)
        typer.echo(f"{path}  {output.width} x {output.height}, seed {output.seed}", err=True)


def _save(path: Path, data: bytes) -> None:
    """
    Raises:
        OSError: it can't be written; names the file, as the system does not where a disk is full.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
