"""The comparison of training steps runs, and both sides learn; how fast is not asserted."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.train import ENTRIES, ChannelsFirst, Entry, Speeds, compare, noise_pictures, row
from models import registry


@pytest.mark.parametrize("name", ["tagan", "sisgan", "attngan", "attngan_damsm", "gan_int_cls"])
def test_all_sides_take_steps(name: str, tmp_path: Path) -> None:
    entry = ENTRIES[name]
    tiny = registry.find(name.removesuffix("_damsm")).module().TINY
    entry = replace(
        entry,
        small=replace(entry.small, model=tiny, batch_size=2),
        paper=replace(entry.paper, model=tiny),
    )
    assert min(compare(entry, tmp_path, rounds=1)) > 0


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.name)
def test_the_reference_is_the_papers_network_at_the_small_ones_size(entry: Entry) -> None:
    small, reference = entry.small, entry.reference
    assert reference.model.image_size == small.model.image_size
    assert reference.batch_size == small.batch_size
    assert getattr(reference, "lambda_feature", 0) == 0


def test_pictures_of_the_reference_are_laid_out_channels_first(tmp_path: Path) -> None:
    recipe = ENTRIES["tagan"].small
    image = noise_pictures(ChannelsFirst, recipe, tmp_path).batch(2, seed=0, step=0).image
    assert image.is_contiguous()
    assert not image.is_contiguous(memory_format=torch.channels_last)


def test_a_row_says_whether_the_bar_is_kept() -> None:
    entry = ENTRIES["tagan"]
    wanted = ["tagan", "64", "30.0", "20.0", "5.0", "6.0", "kept"]
    assert row(entry, Speeds(30, 20, 5)) == wanted
    assert row(entry, Speeds(10, 20, 5))[-1] == "MISSED"
