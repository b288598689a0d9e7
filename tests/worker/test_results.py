"""What a network made of several requests is told apart, and written whole."""

from dataclasses import fields

import numpy as np
import pytest

from models.registry import Task
from worker.messages import Request
from worker.results import Answer, write_all
from worker.store import Store


def answer(pictures: int, words: int = 3) -> Answer:
    """Each picture of a level of its own, its number."""
    number = np.arange(pictures, dtype=np.uint8)[:, None, None, None]
    shares = np.full((pictures, words, 4, 4), 1 / words, np.float32)
    return Answer(
        number * np.ones((1, 16, 16, 3), np.uint8),
        (number * np.ones((1, 8, 8, 3), np.uint8),),
        (shares * number,),
        np.arange(pictures, dtype=np.float32)[:, None] * np.ones(words, np.float32),
        np.arange(pictures)[:, None] >= np.arange(words),
        (words,),
    )


def test_an_answer_is_split_with_all_that_belongs_to_each_picture() -> None:
    first, second = answer(3).split([1, 2])
    for part, numbers in ((first, [0]), (second, [1, 2])):
        assert part.images[:, 0, 0, 0].tolist() == numbers
        assert part.stages[0][:, 0, 0, 0].tolist() == numbers
        assert part.attention[0][:, 0, 0, 0].tolist() == pytest.approx([n / 3 for n in numbers])
        assert part.scores is not None
        assert part.scores[:, 0].tolist() == numbers
        assert part.mask.sum(1).tolist() == [n + 1 for n in numbers]
        assert part.parts == (3,)


def test_an_answer_without_scores_has_none_when_split() -> None:
    whole = answer(2)
    bare = Answer(**{f.name: getattr(whole, f.name) for f in fields(Answer)} | {"scores": None})
    assert [part.scores for part in bare.split([1, 1])] == [None, None]


def test_what_ends_it_before_a_picture_leaves_that_one_and_the_rest_out(store: Store) -> None:
    seen: list[int] = []

    def before(number: int) -> None:
        seen.append(number)
        if number == 1:
            raise TimeoutError

    request = Request(Task.GENERATE, "any", "a red flower", variations=3)
    with pytest.raises(TimeoutError):
        write_all(store, request, answer(3), before=before)
    assert seen == [0, 1]
