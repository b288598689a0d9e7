"""The smallest data set that something can be learnt from, and trainers on it."""

import json
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from models.checkpoint import Header
from models.text.vocabulary import Vocabulary
from training.data import Batch, CaptionedPictures, Sampling, read_split
from training.generation import GenerationTrainer, Recipe
from training.sisgan import SisganTrainer
from training.tagan import TaganTrainer

COLOURS = {"red": (220, 20, 20), "blue": (20, 20, 220), "green": (20, 200, 20)}
WORDS = Vocabulary(("a", "red", "blue", "green", "thing"))


def write_toys(folder: Path) -> Path:
    """Pictures of one colour each, and the captions that say so; returns the data set's folder."""
    split = folder / "toys" / "train"
    split.mkdir(parents=True)
    rows = []
    for name, rgb in COLOURS.items():
        Image.new("RGB", (24, 24), rgb).save(split / f"{name}.png")
        rows.append({"file_name": f"{name}.png", "captions": [f"a {name} thing"]})
    (split / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder / "toys"


def toy_pictures(toys: Path, side: int, *, by_characters: bool = False) -> CaptionedPictures:
    return CaptionedPictures(
        read_split(toys, "train"),
        WORDS,
        image_size=side,
        max_words=9,
        cache=toys / "cache",
        sampling=Sampling(colour_swaps=0.5),
        by_characters=by_characters,
    )


def toy_header(system: str, side: int, *, by_characters: bool = False) -> Header:
    words = () if by_characters else WORDS.words
    return Header(system, "toys", side, {}, words, examples=("a red thing",))


def build(
    kind: type[GenerationTrainer], recipe: Recipe, system: str, toys: Path, **options: Any
) -> GenerationTrainer:
    """A trainer on the toys, given as its text encoder reads them."""
    side, by_characters = recipe.model.image_size, recipe.model.by_characters
    pictures = toy_pictures(toys, side, by_characters=by_characters)
    header = toy_header(system, side, by_characters=by_characters)
    return kind(recipe, pictures, pictures, header, **options)


def costs_of_right_half(trainer: TaganTrainer | SisganTrainer, steps: int) -> list[float]:
    """`g_outside` of each step, were the object of every picture in its left half."""
    draw = trainer.data.batch

    def with_object_on_the_left(*args: Any, **which: Any) -> Batch:
        batch = draw(*args, **which)
        outside = torch.zeros_like(batch.outside)
        outside[..., outside.shape[-1] // 2 :] = 1
        return batch._replace(outside=outside)

    trainer.data.batch = with_object_on_the_left
    return [trainer.train_step(step)["g_outside"] for step in range(steps)]


def costs_of_grey(trainer: TaganTrainer | SisganTrainer, steps: int) -> list[float]:
    """`g_asked` of each step, did the captions of every other picture ask for a grey one."""
    draw = trainer.data.batch

    def with_grey(*args: Any, **which: Any) -> Batch:
        batch = draw(*args, **which)
        is_known = torch.arange(len(batch.image)) % 2
        return batch._replace(asked=torch.zeros_like(batch.image), is_asked_known=is_known)

    trainer.data.batch = with_grey
    return [trainer.train_step(step)["g_asked"] for step in range(steps)]
