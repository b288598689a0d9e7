"""Commands that train text encoders, before the systems that read with them."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer

from models.inception import load_published
from training import damsm, joint_embedding, vse
from training.commands.options import TrainOptions, WordVectorsFile, command
from training.commands.running import Material, chosen, train_encoder

_PANEL = "First, for some systems: text encoders"

app = typer.Typer()


@command(app, "joint-embedding", panel=_PANEL, steps=5_000)
def train_joint_embedding(
    options: TrainOptions,
    reader: Annotated[
        Literal["words", "char-gru", "char-rnn"] | None,
        typer.Option(help="By words, or by letters (char-CNN-RNN); default: the recipe's."),
    ] = None,
    word_vectors: WordVectorsFile = None,
) -> None:
    """Train what GAN-INT-CLS and the StackGANs may read by."""
    recipe = chosen(options, joint_embedding.RECIPES, word_vectors=word_vectors)
    if reader:
        recipe = replace(recipe, model=replace(recipe.model, reader=reader))
    if word_vectors and recipe.model.by_characters:
        raise typer.BadParameter("what reads letters has no word vectors")
    train_encoder(
        options,
        recipe,
        partial(joint_embedding.JointEmbeddingTrainer, steps=options.steps),
        Material(
            recipe.image_size,
            recipe.model.max_words,
            by_characters=recipe.model.by_characters,
            word_vectors=word_vectors,
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
    word_vectors: WordVectorsFile = None,
) -> None:
    """Train what AttnGAN reads and is judged by."""
    recipe = chosen(options, damsm.RECIPES, word_vectors=word_vectors)
    if (recipe.model.image_encoder == "inception") != (inception is not None):
        wanted = "needs" if inception is None else "does not look through"
        raise typer.BadParameter(f"recipe {options.recipe!r} {wanted} Inception-v3 (--inception)")
    trunk = load_published(torch.load(inception, weights_only=True)) if inception else None
    train_encoder(
        options,
        recipe,
        partial(damsm.DamsmTrainer, inception=trunk),
        Material(recipe.image_size, recipe.model.max_words, word_vectors=word_vectors),
        name="damsm",
        then="attngan --encoders",
    )


@command(app, "vse", panel=_PANEL, steps=5_000)
def train_vse(options: TrainOptions, word_vectors: WordVectorsFile = None) -> None:
    """Train what SISGAN reads by."""
    recipe = chosen(options, vse.RECIPES, word_vectors=word_vectors)
    train_encoder(
        options,
        recipe,
        partial(vse.VseTrainer, steps=options.steps),
        Material(recipe.image_size, recipe.model.max_words, word_vectors=word_vectors),
        name="vse",
        then="sisgan --text",
    )
