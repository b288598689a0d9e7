"""Captions are read for the colour of the garment or the petals, and for no other."""

import pytest

from training.colours import (
    NoPalette,
    find_palette,
    garment_colour,
    petal_colour,
    petal_colours,
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


def test_a_domain_without_colours_is_refused() -> None:
    with pytest.raises(NoPalette, match="clothes, flowers"):
        find_palette("birds")
