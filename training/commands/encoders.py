"""Commands that train text encoders, before the systems that read with them."""

from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer

from models.inception import load_published
from training import damsm, vse
from training.commands.options import TrainOptions, command
from training.commands.running import chosen, train_encoder

_PANEL = "First: text encoders"

app = typer.Typer()


@command(app, "damsm", panel=_PANEL, steps=5_000)
def train_damsm(
    options: TrainOptions,
    inception: Annotated[
        Path | None, typer.Option(help="Weights of torchvision's Inception-v3, for paper.")
    ] = None,
) -> None:
    """Train AttnGAN's encoders: how well a picture and a caption go together."""
    recipe = chosen(options, damsm.RECIPES)
    if (recipe.model.image_encoder == "inception") != (inception is not None):
        wanted = "needs" if inception is None else "does not look through"
        raise typer.BadParameter(f"recipe {options.recipe!r} {wanted} Inception-v3 (--inception)")
    trunk = load_published(torch.load(inception, weights_only=True)) if inception else None
    train_encoder(
        options,
        recipe,
        partial(damsm.DamsmTrainer, inception=trunk),
        name="damsm",
        image_size=recipe.image_size,
        max_words=recipe.model.max_words,
        then="attngan --encoders",
    )


@command(app, "vse", panel=_PANEL, steps=5_000)
def train_vse(options: TrainOptions) -> None:
    """Train SISGAN's text encoder: captions near their pictures."""
    recipe = chosen(options, vse.RECIPES)
    train_encoder(
        options,
        recipe,
        partial(vse.VseTrainer, steps=options.steps),
        name="vse",
        image_size=recipe.image_size,
        max_words=recipe.model.max_words,
        then="sisgan --text",
    )
