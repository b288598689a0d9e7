"""Commands that train systems that make a picture from a caption alone."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from models.damsm import load_damsm
from models.stackgan import Stackgan
from training import attngan, gan_int_cls, stackgan, stackgan_v2
from training.commands.options import SystemOptions, command
from training.commands.running import chosen, load_system, train_system

_PANEL = "Systems that draw from words alone"

app = typer.Typer()


@command(app, "gan-int-cls", panel=_PANEL, steps=20_000)
def train_gan_int_cls(options: SystemOptions) -> None:
    """Train GAN-INT-CLS: a caption to a small picture."""
    recipe = chosen(options, gan_int_cls.RECIPES)
    train_system(
        options,
        recipe,
        gan_int_cls.GanIntClsTrainer,
        system="gan_int_cls",
        image_size=recipe.model.image_size,
        max_words=recipe.model.max_words,
    )


@command(app, "stackgan", panel=_PANEL, steps=20_000)
def train_stackgan(
    options: SystemOptions,
    sketcher: Annotated[
        Path | None, typer.Option(help="Checkpoint of a trained Stage-I, to train Stage-II on it.")
    ] = None,
) -> None:
    """Train StackGAN: Stage-I, a sketch; then, with --sketcher, Stage-II, four times the side."""
    recipes, first = stackgan.RECIPES, None
    if sketcher:
        first = load_system(sketcher, Stackgan)
        recipes = {name: stackgan.second_stage(r, first.cfg) for name, r in recipes.items()}
    recipe = chosen(options, recipes)
    train_system(
        options,
        recipe,
        partial(stackgan.StackganTrainer, sketcher=first),
        system="stackgan",
        image_size=recipe.model.image_size,
        max_words=recipe.model.max_words,
        vocabulary=first.vocabulary if first else None,
    )


@command(app, "stackgan-v2", panel=_PANEL, steps=20_000)
def train_stackgan_v2(options: SystemOptions) -> None:
    """Train StackGAN-v2: a caption to pictures of several sizes, all at once."""
    recipe = chosen(options, stackgan_v2.RECIPES)
    train_system(
        options,
        recipe,
        stackgan_v2.StackganV2Trainer,
        system="stackgan_v2",
        image_size=recipe.model.image_size,
        max_words=recipe.model.max_words,
    )


@command(app, "attngan", panel=_PANEL, steps=20_000)
def train_attngan(
    options: SystemOptions,
    encoders: Annotated[Path, typer.Option(help="damsm.safetensors of a damsm run.")],
) -> None:
    """Train AttnGAN: a caption to a picture, with the encoders of a damsm run."""
    recipe = chosen(options, attngan.RECIPES)
    judge = load_damsm(encoders)
    train_system(
        options,
        recipe,
        partial(attngan.AttnganTrainer, damsm=judge),
        system="attngan",
        image_size=recipe.model.image_size,
        max_words=recipe.model.max_words,
        vocabulary=judge.vocabulary,
    )
