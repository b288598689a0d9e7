"""Commands that train systems that change a picture by a caption."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from models.base import Invertible
from models.checkpoint import read_header
from models.gan_int_cls import GanIntCls
from models.tagan import Tagan
from models.text.vse import SentenceReader
from training import inversion, sisgan, style_encoder, tagan, tagan_scores
from training.commands.options import SystemOptions, TrainOptions, WordVectorsFile, command
from training.commands.running import (
    Material,
    chosen,
    load_system,
    train_part,
    train_system,
)

_PANEL = "Systems that edit a picture"

app = typer.Typer()


@command(app, "tagan", panel=_PANEL)
def train_tagan(options: SystemOptions, word_vectors: WordVectorsFile = None) -> None:
    """Train TAGAN: changes what is named, keeps the rest."""
    recipe = chosen(options, tagan.RECIPES, word_vectors=word_vectors)
    train_system(
        options,
        recipe,
        tagan.TaganTrainer,
        Material(recipe.model.image_size, recipe.model.max_words, word_vectors=word_vectors),
        system="tagan",
    )


@command(app, "tagan-scores", panel=_PANEL, steps=2_000)
def train_tagan_scores(
    options: TrainOptions,
    generator: Annotated[Path, typer.Option(help="Checkpoint of a tagan run.")],
) -> None:
    """Train a score for each word, for a TAGAN that has none."""
    trained = load_system(generator, Tagan)
    train_part(
        options,
        chosen(options, tagan_scores.RECIPES),
        partial(tagan_scores.TaganScoresTrainer, trained=trained),
        name="tagan-scores",
        header=read_header(generator),
        max_words=trained.cfg.max_words,
    )


@command(app, "sisgan", panel=_PANEL, steps=20_000)
def train_sisgan(
    options: SystemOptions,
    text: Annotated[Path, typer.Option(help="vse.safetensors of a vse run.")],
) -> None:
    """Train SISGAN, after vse: the caption in the picture's pose."""
    recipe = chosen(options, sisgan.RECIPES)
    reader = SentenceReader.load(text)
    train_system(
        options,
        recipe,
        partial(sisgan.SisganTrainer, text=reader),
        Material(recipe.model.image_size, reader.cfg.max_words, reader.vocabulary),
        system="sisgan",
    )


@command(app, "style-encoder", panel=_PANEL, steps=5_000)
def train_style_encoder(
    options: SystemOptions,
    generator: Annotated[Path, typer.Option(help="Checkpoint of a gan-int-cls run.")],
) -> None:
    """Train style transfer, after gan-int-cls."""
    recipe = chosen(options, style_encoder.RECIPES)
    trained = load_system(generator, GanIntCls)
    train_system(
        options,
        recipe,
        partial(style_encoder.StyleTrainer, trained=trained),
        Material(
            trained.cfg.image_size,
            trained.cfg.max_words,
            trained.vocabulary,
            by_characters=trained.cfg.by_characters,
        ),
        system="style_encoder",
    )


@command(app, "inversion", panel=_PANEL)
def train_inversion(
    options: SystemOptions,
    generator: Annotated[
        Path, typer.Option(help="Checkpoint of a stackgan-v2, attngan or gan-int-cls run.")
    ],
) -> None:
    """Train inversion of photos in a generator that draws."""
    recipe = chosen(options, inversion.RECIPES)
    trained = load_system(generator, Invertible)  # type: ignore[type-abstract]
    name = read_header(generator).system
    train_system(
        options,
        recipe,
        partial(inversion.InversionTrainer, generator=name, trained=trained),
        Material(trained.cfg.image_size, trained.cfg.max_words, trained.vocabulary),
        system="inversion",
    )
