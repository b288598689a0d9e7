"""The options that training commands share, as fields of a class that a command takes first."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from models.checkpoint import BadCheckpoint
from models.import_upstream.fitting import NotTheseWeights
from models.import_upstream.reader import UnreadableFile
from models.text.files import BadReader
from training.commands.settings import BadSetting, OtherRecipe
from training.data import BadData
from training.sisgan import NeedsVgg16
from training.stackgan import WrongSketcher
from training.warm_start import NothingFits
from training.word_vectors import BadVectors

# What a person can put right; the rest are our mistakes, and keep their traceback.
_REFUSALS = (
    BadCheckpoint,
    BadData,
    BadReader,
    BadSetting,
    BadVectors,
    NeedsVgg16,
    NothingFits,
    NotTheseWeights,
    OtherRecipe,
    UnreadableFile,
    WrongSketcher,
)


@dataclass(frozen=True)
class TrainOptions:
    """What every trainer is told."""

    data: Annotated[Path, typer.Option(help="Folder with train/metadata.jsonl and pictures.")]
    domain: Annotated[str | None, typer.Option(help="Its name; default: the folder's.")] = None
    recipe: Annotated[str, typer.Option(help="small (for two CPU cores) or paper.")] = "small"
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting other than the recipe's."),
    ] = None
    steps: Annotated[int, typer.Option(help="Optimiser steps, over all resumed runs.")] = 10_000
    minutes: Annotated[float | None, typer.Option(help="Stop, resumable, after so long.")] = None
    run: Annotated[Path | None, typer.Option(help="Folder of the run; default: .runs/ID.")] = None
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None
    seed: Annotated[int, typer.Option(help="Of weights, order and noise.")] = 0

    @property
    def domain_name(self) -> str:
        return self.domain or self.data.resolve().name


WordVectorsFile = Annotated[
    Path | None,
    typer.Option(
        "--word-vectors",
        help="GloVe's or fastText's text file that words begin from; its width is their width.",
    ),
]


@dataclass(frozen=True)
class SystemOptions(TrainOptions):
    """And what the trainer of a system is told, for the checkpoint's header."""

    example: Annotated[list[str] | None, typer.Option(help="Caption for sheets and form.")] = None
    description: Annotated[str, typer.Option(help="What the data are, for the card.")] = ""
    licence: Annotated[str, typer.Option(help="Use allowed for the weights.")] = "research use"
    init_from: Annotated[
        Path | None,
        typer.Option(help="Checkpoint of the same system to begin with, wherever it fits."),
    ] = None


def command(
    app: typer.Typer, name: str, *, panel: str | None = None, **defaults: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command whose first parameter, `options`, is one of the classes above.

    On the command line each field of it is an option, beside the command's own parameters;
    `defaults` are the command's own for some of them. `panel` is its place in the help.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        kind = hints.pop("options")
        shared = get_type_hints(kind, include_extras=True)
        names = [field.name for field in fields(kind)]

        @wraps(function)
        def run(**given: Any) -> None:
            options = kind(**{name: given.pop(name) for name in names})
            try:
                function(options, **given)
            except _REFUSALS as error:
                raise typer.BadParameter(str(error)) from error

        parameters = [
            parameter.replace(
                annotation=shared[name], default=defaults.get(name, parameter.default)
            )
            for name, parameter in inspect.signature(kind).parameters.items()
        ]
        own = list(inspect.signature(function).parameters.values())[1:]
        everything = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in [*parameters, *own]]
        run.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in everything}
        app.command(name, rich_help_panel=panel)(run)
        return function

    return register
