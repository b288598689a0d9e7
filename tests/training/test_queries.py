"""training/queries.py: questions with answers, made of attributes or of captions."""

import random
from pathlib import Path

import numpy as np
import pytest

from training.data import Example
from training.queries import AttributeQueries, CaptionQueries, Query, main_colour, queries_of


def garment(name: str, **attributes: str) -> Example:
    return Example(Path(name), (" ".join(attributes.values()),), attributes=attributes)


GARMENTS = [
    garment("0", color="red", category="dress"),
    garment("1", color="blue", category="dress"),
    garment("2", color="red", category="vest"),
    garment("3", color="blue", category="vest", sleeve="long sleeves"),
    garment("4", color="blue", category="dress"),
]


def test_sources_differ_from_their_target_in_one_attribute_or_two() -> None:
    queries, draw = AttributeQueries(GARMENTS), random.Random(0)
    drawn = [queries.draw(draw) for _ in range(300)]
    differences = {
        len(queries.traits[q.source] ^ queries.traits[q.target])
        for q in drawn
        if q.source is not None
    }
    assert differences == {2, 3, 4}  # an exchanged value counts twice, one without a partner once
    assert any(q.source is None for q in drawn)


def test_the_papers_text_names_old_and_new() -> None:
    asked = AttributeQueries(GARMENTS).benchmark()["replace X with Y"]
    for query in asked:
        old, new = query.words.removeprefix("replace ").split(" with ", 1)
        assert query.source is not None
        before, after = GARMENTS[query.source].attributes, GARMENTS[query.target].attributes
        [name] = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
        assert (old, new) == (before.get(name, f"no {name}"), after.get(name, f"no {name}"))


def test_what_has_all_that_was_wanted_fits_and_the_target_always_does() -> None:
    queries = AttributeQueries(GARMENTS)
    asked = [
        Query(0, "in blue", 1, queries.traits[1]),
        Query(None, "blue", 3, frozenset({"color blue"})),
        Query(None, "whatever", 2),
    ]
    expected = np.array([[0, 1, 0, 0, 1], [0, 1, 0, 1, 1], [0, 0, 1, 0, 0]], dtype=bool)
    assert np.array_equal(queries.fitting(asked, range(5)), expected)


def test_the_words_of_queries_are_known_besides_those_of_captions() -> None:
    vocabulary = AttributeQueries(GARMENTS).vocabulary(draws=500)
    for word in ("replace", "instead", "same", "but", "dress", "no", "sleeve"):
        assert word in vocabulary


FLOWERS = [
    Example(Path("0"), ("a red rose", "red petals"), "rose"),
    Example(Path("1"), ("a white rose", "white petals and a yellow center"), "rose"),
    Example(Path("2"), ("a tulip", "many petals"), "tulip"),
]


def test_a_colour_is_asked_for_of_another_picture_of_the_class() -> None:
    queries, draw = CaptionQueries(FLOWERS), random.Random(0)
    coloured = [q for q in (queries.draw(draw) for _ in range(300)) if q.wanted]
    assert {(q.source, q.target) for q in coloured} == {(0, 1), (1, 0)}
    for query in coloured:
        assert ("red" in query.words, "white" in query.words) == (
            query.target == 0,
            query.target == 1,
        )


def test_other_queries_end_in_a_caption_of_their_target_or_its_beginning() -> None:
    queries, draw = CaptionQueries(FLOWERS), random.Random(0)
    for query in (queries.draw(draw) for _ in range(100)):
        captions = FLOWERS[query.target].captions
        beginnings = [caption[:n] for caption in captions for n in range(5, len(caption) + 1)]
        assert query.wanted or query.words.endswith(tuple(beginnings))


def test_the_main_colour_is_what_half_of_the_captions_name() -> None:
    assert main_colour(["crimson petals", "a red flower", "yellow stamen"]) == "red"
    assert main_colour(["a red flower", "a flower", "petals"]) is None


def test_attributes_are_used_where_all_pictures_have_them() -> None:
    assert isinstance(queries_of(GARMENTS), AttributeQueries)
    assert isinstance(queries_of([*GARMENTS, FLOWERS[0]]), CaptionQueries)


@pytest.mark.parametrize("examples", [GARMENTS, FLOWERS])
def test_draws_depend_on_the_seed_alone(examples: list[Example]) -> None:
    first, second = (queries_of(examples).draw(random.Random(3)) for _ in range(2))
    assert first == second
