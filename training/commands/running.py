"""What the training commands do alike: read the data, build the trainer, run it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import torch
import typer

from models.base import System
from models.checkpoint import Header, read_header
from models.text.vocabulary import Vocabulary
from models.weights import load
from training import loop
from training.commands.options import SystemOptions, TrainOptions
from training.commands.settings import changed, keep
from training.data import CaptionedPictures, Example, Sampling, read_split
from training.system_trainer import SystemTrainer
from training.word_vectors import WordVectors, read_word_vectors, vector_width

_KEPT_SHARE = 20  # one picture in so many is kept from training, to be looked at


class Settings(Protocol):
    """Any recipe: a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Recipe(Settings, Protocol):
    """What recipes have whose trainers are shown pictures with captions."""

    @property
    def sampling(self) -> Sampling: ...


@dataclass(frozen=True)
class Material:
    """How a trainer is shown the data."""

    image_size: int  # S
    max_words: int  # T at most
    vocabulary: Vocabulary | None = None  # None: that of the captions
    by_characters: bool = False  # by letters; the system has no vocabulary then
    word_vectors: Path | None = None  # what the words begin from


R = TypeVar("R", bound=Settings)
S = TypeVar("S", bound=System)


def chosen(
    options: TrainOptions, recipes: Mapping[str, R], *, word_vectors: Path | None = None
) -> R:
    """The recipe that was asked for, with the settings that were, and words as wide as vectors.

    Raises:
        typer.BadParameter: there is none of this name.
        BadSetting: it has no such setting, or the setting no such value.
        BadVectors: the file holds none.
    """
    if options.recipe not in recipes:
        names = ", ".join(recipes)
        raise typer.BadParameter(f"no recipe {options.recipe!r}; there is: {names}")
    settings = list(options.changes or ())
    if word_vectors:
        settings.append(f"model.word_dim={vector_width(word_vectors)}")
    return changed(recipes[options.recipe], settings)


def load_system(path: Path, kind: type[S]) -> S:
    """The system in a checkpoint.

    Raises:
        typer.BadParameter: it is of another kind.
    """
    system = load(path)
    if not isinstance(system, kind):
        has, wanted = type(system).__name__, kind.__name__
        raise typer.BadParameter(f"{path} is a checkpoint of {has}, wanted one of {wanted}")
    return system


def train_system(
    options: SystemOptions,
    recipe: Recipe,
    build: Callable[..., SystemTrainer],
    material: Material,
    *,
    system: str,
) -> None:
    """Train a system to its checkpoint.

    `build` takes recipe, pictures, kept pictures, header; steps, seed and device by name.
    """
    examples = read_split(options.data, "train")
    known = None if material.by_characters else material.vocabulary
    vocabulary = known or _vocabulary(examples)
    words = () if material.by_characters else vocabulary.words
    header = describe(options, examples, words, system=system, image_size=material.image_size)

    def trainer() -> loop.Trainer:
        pictures = _pictures(examples, vocabulary, material, recipe.sampling)
        given = {"steps": options.steps, "seed": options.seed, "device": loop.device()}
        built = build(recipe, *pictures, header, **given, **_beginning(material, vocabulary))
        if options.init_from:
            _begin_with(built, options.init_from, system=system)
        return built

    if path := run(options, header.id, recipe, trainer):
        typer.echo(f"wrote {path}; copy it to checkpoints/ to use it")


def _begin_with(trainer: SystemTrainer, path: Path, *, system: str) -> None:
    """Begin with a checkpoint's weights; says how many."""
    if (has := read_header(path).system) != system:
        raise typer.BadParameter(f"{path} is a checkpoint of {has}, wanted one of {system}")
    taken = trainer.begin_with(load(path))
    words = f" and {taken.words} words" if taken.words else ""
    typer.echo(f"begins with {taken.tensors} of {taken.of} tensors{words} of {path.name}")


def describe(
    options: SystemOptions,
    examples: list[Example],
    words: tuple[str, ...],
    *,
    system: str,
    image_size: int,
) -> Header:
    """What the checkpoint will say of itself, as far as it is known before training."""
    return Header(
        system=system,
        domain=options.domain_name,
        image_size=image_size,
        config={},
        words=words,
        examples=tuple(options.example or _shortest_captions(examples)),
        licence=options.licence,
        data=_data(options),
    )


def _data(options: SystemOptions) -> str:
    """What it learns from: pictures, and maybe the weights that others left."""
    if options.init_from is None:
        return options.description
    pictures = options.description or options.domain_name
    return f"{pictures}; begun with the weights of {options.init_from.stem}"


def train_encoder(
    options: TrainOptions,
    recipe: Recipe,
    build: Callable[..., loop.Trainer],
    material: Material,
    *,
    name: str,
    then: str,
) -> None:
    """Train a text encoder to its file; `then` is the command that takes it.

    `build` takes recipe, pictures and kept pictures; seed and device by name.
    """
    examples = read_split(options.data, "train")
    vocabulary = _vocabulary(examples)

    def trainer() -> loop.Trainer:
        pictures = _pictures(examples, vocabulary, material, recipe.sampling)
        given = {"seed": options.seed, "device": loop.device()}
        return build(recipe, *pictures, **given, **_beginning(material, vocabulary))

    if path := run(options, f"{name}-{options.domain_name}", recipe, trainer):
        typer.echo(f"wrote {path}; give it to `python -m training {then}`")


def train_part(
    options: TrainOptions,
    recipe: Recipe,
    build: Callable[..., loop.Trainer],
    *,
    name: str,
    header: Header,
    max_words: int,
) -> None:
    """Train one more part of a trained system; `header` is that of its checkpoint.

    `build` takes recipe, pictures, kept pictures, header; steps, seed and device by name.
    """
    examples = read_split(options.data, "train")
    material = Material(header.image_size, max_words)

    def trainer() -> loop.Trainer:
        pictures = _pictures(examples, header.vocabulary, material, recipe.sampling)
        given = {"steps": options.steps, "seed": options.seed, "device": loop.device()}
        return build(recipe, *pictures, header, **given)

    if path := run(options, f"{name}-{options.domain_name}", recipe, trainer):
        typer.echo(f"wrote {path}; copy it to checkpoints/ in place of the one it is made of")


def run(
    options: TrainOptions, name: str, recipe: Settings, trainer: Callable[[], loop.Trainer]
) -> Path | None:
    """Train in the folder of this name; what was exported, by the process that exports."""
    if options.threads:
        torch.set_num_threads(options.threads)
    folder = options.run or Path(".runs") / name
    settings = loop.RunSettings(folder, steps=options.steps, minutes=options.minutes)
    with loop.process_group():
        if loop.is_main():
            keep(recipe, folder)
        return loop.run(trainer(), settings)


def _beginning(material: Material, vocabulary: Vocabulary) -> dict[str, WordVectors]:
    """What trainers of words are given that begin from vectors; says how many do."""
    if material.word_vectors is None:
        return {}
    vectors = read_word_vectors(material.word_vectors, vocabulary)
    count, name = len(vectors.rows) - 1, material.word_vectors.name
    typer.echo(f"{count} of {len(vocabulary.words)} words begin from {name}")
    return {"word_vectors": vectors}


def split_kept(examples: list[Example]) -> tuple[list[Example], list[Example]]:
    """Pictures to train on, and one in twenty to look at; at least one of each."""
    kept = examples[::_KEPT_SHARE]
    return [e for i, e in enumerate(examples) if i % _KEPT_SHARE] or examples, kept


def _vocabulary(examples: list[Example]) -> Vocabulary:
    return Vocabulary.build(caption for e in examples for caption in e.captions)


def _pictures(
    examples: list[Example], vocabulary: Vocabulary, material: Material, sampling: Sampling
) -> tuple[CaptionedPictures, CaptionedPictures]:
    """Those to train on, and those to look at."""
    as_they_are = replace(sampling, plain_grounds=0)  # nothing is learnt from what is kept
    shown, kept = (
        CaptionedPictures(
            part,
            vocabulary,
            image_size=material.image_size,
            max_words=material.max_words,
            cache=Path(".cache"),
            sampling=drawn,
            by_characters=material.by_characters,
        )
        for part, drawn in zip(split_kept(examples), (sampling, as_they_are), strict=True)
    )
    return shown, kept


def _shortest_captions(examples: list[Example], count: int = 5) -> list[str]:
    """A few different short captions, for a data set that came without examples."""
    captions = {caption for e in examples for caption in e.captions if len(caption.split()) > 2}
    return sorted(captions, key=lambda caption: (len(caption), caption))[:count]
