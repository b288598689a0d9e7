"""`python -m models.import_upstream`: published files to one of our checkpoints.

`wordbrush import-weights` starts this as a process of its own, since it needs torch.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Annotated

import torch
import typer

from models import registry, weights
from models.base import System
from models.checkpoint import SUFFIX, Header
from models.import_upstream.fitting import Convert, Handed, MissingFile, NotTheseWeights
from models.import_upstream.published import DOMAIN_PATTERN, KINDS, SYSTEMS
from models.import_upstream.reader import UnreadableFile, read_vocabulary, read_weights


class BadDomain(ValueError):
    """The name can't be part of a checkpoint's."""


def main(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    system: Annotated[str, typer.Option()],
    domain: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option(file_okay=False)],
    example: Annotated[list[str] | None, typer.Option()] = None,
    end_with_input: Annotated[bool, typer.Option("--end-with-input")] = False,
) -> None:
    """Read the authors' files and write the checkpoint into `out`. With `--end-with-input` this
    ends, wherever it is, when nobody holds standard input open any longer.
    """
    if end_with_input:
        Thread(target=_end_with_input, name="input", daemon=True).start()
    try:
        path = import_weights(files, system, domain, out, examples=example or ())
    except (
        BadDomain,
        MissingFile,
        NotTheseWeights,
        UnreadableFile,
        registry.UnknownSystem,
    ) as error:
        typer.secho(f"wordbrush: {error}", err=True, fg="red")
        raise typer.Exit(1) from None
    typer.echo(f"wrote {path}")


def import_weights(
    files: Iterable[Path], system: str, domain: str, out: Path, *, examples: Iterable[str] = ()
) -> Path:
    """The checkpoint made of `files`, at full precision; returns its path.

    Raises:
        UnreadableFile, NotTheseWeights, MissingFile: what was given is not the system's.
        UnknownSystem: nothing is published for it that is read here.
        BadDomain: other than small letters, digits and hyphens.
    """
    files = list(files)
    if not re.fullmatch(DOMAIN_PATTERN, domain):
        raise BadDomain(f"domain {domain!r}: wanted small letters, digits and hyphens")
    made = _converter(system)(sort(files))
    header = Header(
        system=system,
        domain=domain,
        image_size=made.cfg.image_size,
        config=asdict(made.cfg),
        words=made.vocabulary.words,
        examples=tuple(examples),
        licence="the authors' terms; research use",
        data=f"published weights, imported from {', '.join(file.name for file in files)}",
        published=True,
    )
    return _written(made, header, out)


def sort(files: Iterable[Path]) -> Handed:
    """The files by kind, which their suffix says.

    Raises:
        UnreadableFile: another suffix, or not what the suffix says.
    """
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS.values()}
    for file in files:
        if file.suffix not in KINDS:
            raise UnreadableFile(f"{file.name}: wanted a file of kind {', '.join(KINDS)}")
        found[KINDS[file.suffix]].append(file)
    for kind in ("vectors", "vocabulary"):
        if len(found[kind]) > 1:
            names = ", ".join(file.name for file in found[kind])
            raise UnreadableFile(f"{names}: wanted one file of {kind}")
    return Handed(
        weights={file.name: read_weights(file) for file in found["weights"]},
        vectors=next(iter(found["vectors"]), None),
        vocabulary=next((read_vocabulary(file) for file in found["vocabulary"]), None),
    )


def _end_with_input() -> None:
    while os.read(0, 1):  # no buffer, whose lock would be in the way when the process ends
        pass
    os._exit(os.EX_NOINPUT)


def _converter(system: str) -> Convert:
    if system not in SYSTEMS:
        known = ", ".join(SYSTEMS)
        raise registry.UnknownSystem(f"no published weights of {system!r} are read; of: {known}")
    convert: Convert = import_module(f"models.import_upstream.{system}").convert
    return convert


def _written(system: System, header: Header, out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{header.id}{SUFFIX}"
    weights.save(system, header, path, half=False)
    return path


if __name__ == "__main__":
    torch.set_num_threads(1)
    typer.run(main)
