"""Commands that train systems that make a picture from a caption alone."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from models.damsm import load_damsm
from models.import_upstream.char_cnn_rnn import trained_reader
from models.stackgan import Stackgan
from models.text.captions import TrainedReader
from models.text.vocabulary import Vocabulary
from training import attngan, gan_int_cls, stackgan, stackgan_v2
from training.commands.options import SystemOptions, command
from training.commands.running import Material, chosen, load_system, train_system
from training.generation import Recipe
from training.system_trainer import SystemTrainer

_PANEL = "Systems that draw a caption"

Text = Annotated[
    Path | None,
    typer.Option(
        help="reader.safetensors of a joint-embedding run, or a published char-CNN-RNN's .pth; "
        "without, captions are learnt to be read meanwhile."
    ),
]

app = typer.Typer()


@command(app, "gan-int-cls", panel=_PANEL, steps=20_000)
def train_gan_int_cls(options: SystemOptions, text: Text = None) -> None:
    """Train GAN-INT-CLS: a small picture."""
    recipe = chosen(options, gan_int_cls.RECIPES)
    _train(options, recipe, gan_int_cls.GanIntClsTrainer, system="gan_int_cls", text=text)


@command(app, "stackgan", panel=_PANEL, steps=20_000)
def train_stackgan(
    options: SystemOptions,
    text: Text = None,
    sketcher: Annotated[
        Path | None, typer.Option(help="Checkpoint of a trained Stage-I, to train Stage-II on it.")
    ] = None,
) -> None:
    """Train StackGAN: a sketch; --sketcher: four times the side."""
    if not sketcher:
        recipe = chosen(options, stackgan.RECIPES)
        _train(options, recipe, stackgan.StackganTrainer, system="stackgan", text=text)
        return
    if text:
        raise typer.BadParameter("Stage-II reads as its Stage-I does; wanted no --text")
    first = load_system(sketcher, Stackgan)
    both = {n: stackgan.second_stage(r, first.cfg) for n, r in stackgan.RECIPES.items()}
    _train(
        options,
        chosen(options, both),
        partial(stackgan.StackganTrainer, sketcher=first),
        system="stackgan",
        vocabulary=first.vocabulary,
    )


@command(app, "stackgan-v2", panel=_PANEL, steps=20_000)
def train_stackgan_v2(options: SystemOptions, text: Text = None) -> None:
    """Train StackGAN-v2: several sizes at once."""
    recipe = chosen(options, stackgan_v2.RECIPES)
    _train(options, recipe, stackgan_v2.StackganV2Trainer, system="stackgan_v2", text=text)


@command(app, "attngan", panel=_PANEL, steps=20_000)
def train_attngan(
    options: SystemOptions,
    encoders: Annotated[Path, typer.Option(help="damsm.safetensors of a damsm run.")],
) -> None:
    """Train AttnGAN, after damsm: stage by stage, word by word."""
    recipe = chosen(options, attngan.RECIPES)
    judge = load_damsm(encoders)
    train_system(
        options,
        recipe,
        partial(attngan.AttnganTrainer, damsm=judge),
        Material(recipe.model.image_size, recipe.model.max_words, judge.vocabulary),
        system="attngan",
    )


def _train(
    options: SystemOptions,
    recipe: Recipe,
    build: Callable[..., SystemTrainer],
    *,
    system: str,
    text: Path | None = None,
    vocabulary: Vocabulary | None = None,
) -> None:
    """Train one of those whose text encoder comes from a file or is learnt beside the GAN."""
    trained = _reader(text) if text else None
    if trained:
        vocabulary = trained.vocabulary
        recipe = replace(recipe, model=replace(recipe.model, **asdict(trained.cfg)))
    train_system(
        options,
        recipe,
        partial(build, text=trained),
        Material(
            recipe.model.image_size,
            recipe.model.max_words,
            vocabulary,
            by_characters=recipe.model.by_characters,
        ),
        system=system,
    )


def _reader(path: Path) -> TrainedReader:
    return trained_reader(path) if path.suffix == ".pth" else TrainedReader.load(path)
