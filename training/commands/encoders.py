"""Commands that train text encoders, before the systems that read with them."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer

from models.inception import load_published
from training import damsm, joint_embedding, vse
from training.commands.options import TrainOptions, command
from training.commands.running import Material, chosen, train_encoder

_PANEL = "First: text encoders"

app = typer.Typer()


@command(app, "joint-embedding", panel=_PANEL, steps=5_000)
def train_joint_embedding(
    options: TrainOptions,
    reader: Annotated[
        Literal["words", "char-gru", "char-rnn"] | None,
        typer.Option(help="By words, or by letters (char-CNN-RNN); default: the recipe's."),
    ] = None,
) -> None:
    """Train the text encoder of GAN-INT-CLS and StackGAN: captions that tell pictures apart."""
    recipe = chosen(options, joint_embedding.RECIPES)
    if reader:
        recipe = replace(recipe, model=replace(recipe.model, reader=reader))
    train_encoder(
        options,
        recipe,
        partial(joint_embedding.JointEmbeddingTrainer, steps=options.steps),
        Material(
            recipe.image_size,
            recipe.model.max_words,
            by_characters=recipe.model.by_characters,
        ),
        name=f"joint-{recipe.model.reader}",
        then="gan-int-cls --text (also stackgan, stackgan-v2)",
    )


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
        Material(recipe.image_size, recipe.model.max_words),
        name="damsm",
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
        Material(recipe.image_size, recipe.model.max_words),
        name="vse",
        then="sisgan --text",
    )
