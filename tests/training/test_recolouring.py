"""training/recolouring.py: objects get other colours, their light and all else stays."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.text.vocabulary import tokenize
from training.data import COLOURS
from training.recolouring import PAINTS, colours, recoloured

SIDE = 32


def square() -> NDArray[np.uint8]:
    """(32, 32), an object in the middle."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[8:24, 8:24] = 255
    return mask


def shaded(left: str, right: str) -> NDArray[np.uint8]:
    """A picture of two colours side by side, each lighter further down."""
    light = np.linspace(0.7, 1, SIDE)[:, None, None]
    row = np.repeat(np.array([PAINTS[left], PAINTS[right]]), SIDE // 2, axis=0)
    return np.rint(255 * light * row[None]).astype(np.uint8)


@pytest.mark.parametrize("name", PAINTS)
def test_each_paint_is_seen_as_the_colour_that_it_is_named_by(name: str) -> None:
    bright = np.rint(255 * np.tile(PAINTS[name], (SIDE, SIDE, 1))).astype(np.uint8)
    assert colours(bright, square()) == {name}


def test_every_paint_is_the_first_name_of_a_colour_that_captions_exchange() -> None:
    assert set(PAINTS) <= {names[0] for names in COLOURS}
    assert all(tokenize(name) == [name] for name in PAINTS)


def test_only_the_old_colour_of_the_object_becomes_the_new() -> None:
    before = shaded("red", "white")
    after = recoloured(before, square(), "red", "blue")
    assert colours(after, square()) == {"blue", "white"}
    away = np.ones((SIDE, SIDE), bool)
    away[7:25, 7:17] = False  # where the object is red, and the softened edge of that
    assert np.array_equal(after[away], before[away])


def test_without_an_old_colour_the_object_is_painted_all_over() -> None:
    before = shaded("black", "yellow")
    after = recoloured(before, square(), None, "red")
    inner = np.pad(square()[9:23, 9:23], 9)  # without the softened edge
    assert colours(after, inner) == {"red"}
    away = np.ones((SIDE, SIDE), bool)
    away[7:25, 7:25] = False
    assert np.array_equal(after[away], before[away])


def test_light_and_shade_stay() -> None:
    after = recoloured(shaded("white", "white"), square(), "white", "red")
    down = after[10:22, 16, 0].astype(int)
    assert (np.diff(down) > 0).all()


def test_what_light_makes_of_a_colour_goes_with_it_unless_it_is_named_as_well() -> None:
    before, middle = shaded("red", "orange"), square()
    middle[:10] = middle[22:] = middle[:, :10] = middle[:, 22:] = 0  # without the softened edge
    assert colours(recoloured(before, square(), "red", "blue"), middle) == {"blue"}
    kept = recoloured(before, square(), "red", "blue", kept={"orange"})
    assert colours(kept, middle) >= {"blue", "orange"}


def test_an_object_without_the_old_colour_stays_as_it_is() -> None:
    before = shaded("red", "white")
    assert np.array_equal(recoloured(before, square(), "green", "blue"), before)
