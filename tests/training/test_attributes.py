"""What captions say of each attribute, and what is asked for in its place."""

import pytest

from training.attributes import NoAttribute, attributes_of, find_attribute

DOMAINS = ("clothes", "flowers", "birds")


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_template_asks_for_the_value_that_is_read_from_it(domain: str) -> None:
    for attribute in attributes_of(domain):
        for value in (*attribute.asked, *attribute.also_asked):
            assert attribute.said(attribute.caption(value)) == value
            assert value in attribute.judged


@pytest.mark.parametrize("domain", DOMAINS)
def test_an_exchanged_caption_asks_for_the_new_value(domain: str) -> None:
    for attribute in attributes_of(domain):
        first, second = attribute.asked[:2]
        changed = attribute.exchanged([attribute.caption(first)], second)
        assert changed is not None
        assert attribute.said(changed) == second


def test_sleeves_are_exchanged_and_the_rest_of_the_caption_kept() -> None:
    found = find_attribute("clothes", "sleeves")
    caption = "a black t-shirt with round neck and three quarter sleeves"
    assert found.own([caption]) is None
    assert found.exchanged([caption], "no") == "a black t-shirt with round neck and no sleeves"
    assert found.exchanged(["a black t-shirt"], "no") is None


def test_a_caption_of_two_colours_asks_for_neither() -> None:
    colour = find_attribute("flowers", "colour")
    assert colour.said("this flower is pink and white") is None
    assert colour.said("this flower has green petals") is None


def test_other_domains_have_no_attributes() -> None:
    assert attributes_of("vases") == ()
    with pytest.raises(NoAttribute, match="colour of flowers"):
        find_attribute("vases", "colour")
