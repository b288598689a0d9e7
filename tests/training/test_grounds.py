"""training/grounds.py: objects are found, laid on plain grounds, and known from what is outside."""

import random

import numpy as np
import torch
from numpy.typing import NDArray

from training.data import to_tensor
from training.grounds import SIDE, find_objects, lay_on_plain, outside, resized

RED, GREEN = (200, 20, 20), (30, 90, 40)


def disc(side: int, radius: float) -> NDArray[np.bool_]:
    """(side, side), a disc in the middle."""
    away = np.arange(side) - (side - 1) / 2
    return np.hypot(away[:, None], away[None]) < radius


def painted(shape: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A red shape before green, a little rough, as photographs are."""
    draw = np.random.default_rng(0)
    flat = np.where(shape[..., None], RED, GREEN)
    return np.clip(flat + draw.normal(0, 6, flat.shape), 0, 255).astype(np.uint8)


def test_what_stands_out_is_found_where_it_is() -> None:
    shape = disc(SIDE, 50)
    [found] = resized(find_objects([to_tensor(painted(shape)[None])]), 64)
    overlap = np.logical_and(found > 127, disc(64, 50 / 3)).sum()
    assert overlap / np.logical_or(found > 127, disc(64, 50 / 3)).sum() > 0.9


def test_a_picture_in_which_nothing_or_everything_stands_out_has_no_object() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1, SIDE, SIDE, 3)).astype(np.uint8)
    speck = painted(disc(SIDE, 4))[None]
    found = find_objects([to_tensor(noise), to_tensor(speck)])
    assert found.shape == (2, SIDE, SIDE)
    assert not found.any()


def test_laid_on_a_plain_ground_the_object_stays_and_all_else_is_smooth() -> None:
    shape = disc(64, 20)
    mask = (255 * shape).astype(np.uint8)
    for seed in range(20):
        laid = lay_on_plain(painted(shape), mask, random.Random(seed))
        assert np.array_equal(laid[shape], painted(shape)[shape])
        ground = np.where(shape[..., None], np.nan, laid.astype(float))
        assert np.nanmax(np.nanstd(ground, axis=1)) < 1e-6  # each row of one colour
        steps = np.abs(np.diff(np.nanmean(ground, axis=1), axis=0))
        assert np.nanmax(steps) <= 4


def test_grounds_have_no_colour_that_a_caption_would_ask_for() -> None:
    shape = disc(64, 20)
    mask = (255 * shape).astype(np.uint8)
    for seed in range(200):
        ground = lay_on_plain(painted(shape), mask, random.Random(seed))[0, 0].astype(int)
        is_sky = ground[2] == ground.max() and ground[2] - ground[0] > 50
        assert is_sky or ground.max() - ground.min() <= 54


def test_one_seed_gives_one_ground_and_others_give_others() -> None:
    shape = disc(32, 10)
    mask = (255 * shape).astype(np.uint8)
    grounds = [lay_on_plain(painted(shape), mask, random.Random(n))[0, 0] for n in (1, 1, 2, 3)]
    assert np.array_equal(grounds[0], grounds[1])
    assert len({tuple(one) for one in grounds}) == 3


def test_outside_is_a_little_away_from_the_object_and_nowhere_without_one() -> None:
    mask = torch.from_numpy(np.stack([disc(32, 8), np.zeros((32, 32), bool)]))[:, None].float()
    found = outside(mask)
    assert found[0, 0, 0, 0] == 1
    assert found[0, 0, 16, 25] == 0  # beside its edge
    assert not found[0][mask[0] > 0].any()
    assert not found[1].any()
