"""Captions are read for the colour of the garment or the petals, and for no other."""

import pytest

from training.colours import (
    belly_colour,
    belly_colours,
    garment_colour,
    petal_colour,
    petal_colours,
    recoloured_belly,
    recoloured_garment,
    recoloured_petals,
)


@pytest.mark.parametrize(
    ("caption", "colours"),
    [
        ("this flower has yellow petals and red stamen", {"yellow"}),
        ("the petals are White, with a yellow center", {"white"}),
        ("this flower is pink and white in color with petals that are oval", {"pink", "white"}),
        ("a violet flower on a green stem", {"purple"}),
        ("this flower has petals that are round", set()),
    ],
)
def test_only_colours_of_petals_are_read(caption: str, colours: set[str]) -> None:
    assert petal_colours(caption) == colours


def test_two_of_three_captions_make_a_colour() -> None:
    pink, purple = "this flower has pink petals", "this flower has purple petals"
    assert petal_colour([pink, pink, purple]) == "pink"
    assert petal_colour([pink, purple]) is None


def test_one_caption_alone_makes_no_colour() -> None:
    assert petal_colour(["red petals", "petals that are round"]) is None


def test_petals_that_are_mostly_green_have_no_colour_of_ours() -> None:
    assert petal_colour(["green petals", "a green flower"]) is None


def test_a_garment_has_the_colour_its_caption_begins_with() -> None:
    assert garment_colour(["a navy t-shirt with blue trim"]) == "navy"
    assert garment_colour(["a dark brown dress"]) == "brown"
    assert garment_colour(["a silver dress with black trim"]) is None


def test_recolouring_a_garment_keeps_the_rest_of_the_caption() -> None:
    captions = ["a coffee brown dress with round neck"]
    assert recoloured_garment(captions, "red") == "a red dress with round neck"
    assert recoloured_garment(["a silver dress"], "red") is None


def test_recolouring_petals_keeps_the_stamen() -> None:
    captions = ["round petals", "this flower has white petals and white stamen"]
    assert recoloured_petals(captions, "blue") == "this flower has blue petals and white stamen"
    assert recoloured_petals(["red and yellow petals"], "blue") is None


@pytest.mark.parametrize(
    ("caption", "colours"),
    [
        ("a bird with a white belly and black wings", {"white"}),
        ("this bird has a bright yellow spotted breast, and a red crown", {"yellow"}),
        ("its belly is very light brown, its head black", {"brown"}),
        ("its belly is white with grey spots", set()),
        ("a black and white belly", {"another"}),
        ("a small bird whose belly is white and grey", set()),
        ("a bird with a grey bill", set()),
    ],
)
def test_only_colours_of_the_belly_are_read(caption: str, colours: set[str]) -> None:
    assert belly_colours(caption) == colours


def test_birds_agree_on_a_belly_as_flowers_on_petals() -> None:
    white, grey = "a bird with a white belly", "it has a gray breast"
    assert belly_colour([white, white, grey]) == "white"
    assert belly_colour([white, grey]) is None


def test_recolouring_a_belly_keeps_the_wings() -> None:
    captions = ["a bird", "This bird has a white belly, and white wings."]
    assert recoloured_belly(captions, "blue") == "this bird has a blue belly, and white wings."
    assert recoloured_belly(["a red and white belly"], "blue") is None
