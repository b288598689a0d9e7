"""How many requests of a batch go together."""

from dataclasses import replace

from models.registry import Task
from worker.messages import Request
from worker.passes import FEW, PassSizes, passes

DRAW = Request(Task.GENERATE, "attngan-flowers-64", "a red flower")
EDIT = replace(DRAW, task=Task.MANIPULATE, image_id="u")


def numbered(*requests: Request) -> dict[int, Request]:
    return dict(enumerate(requests))


def test_a_pass_is_full_and_the_last_has_what_is_left() -> None:
    assert list(passes(numbered(*7 * [DRAW]), lambda _: 3)) == [[0, 1, 2], [3, 4, 5], [6]]


def test_requests_of_two_tasks_never_go_together() -> None:
    found = list(passes(numbered(DRAW, EDIT, DRAW, EDIT), lambda _: 8))
    assert found == [[0, 2], [1, 3]]


def test_pictures_count_and_a_request_for_more_than_fit_goes_alone() -> None:
    counts = (2, 2, 8, 1, 3, 1)
    requests = numbered(*(replace(DRAW, variations=count) for count in counts))
    assert list(passes(requests, lambda _: 4)) == [[0, 1], [2], [3, 4], [5]]


def test_the_size_is_asked_for_each_pass() -> None:
    sizes = iter([1, 3, 2])
    found = list(passes(numbered(*6 * [DRAW]), lambda _: next(sizes)))
    assert found == [[0], [1, 2, 3], [4, 5]]


def test_the_first_pass_of_a_model_has_few() -> None:
    assert PassSizes(32).of(DRAW) == FEW


def test_quick_passes_grow_until_they_take_a_tenth_of_a_second() -> None:
    sizes = PassSizes(32)
    sizes.note(8 * [DRAW], 8 * 0.005)
    assert sizes.of(DRAW) == 20


def test_no_pass_has_more_than_the_most_however_quick() -> None:
    sizes = PassSizes(32)
    sizes.note(8 * [DRAW], 1e-6)
    assert sizes.of(DRAW) == 32
    assert PassSizes(1).of(DRAW) == 1


def test_a_slow_model_s_passes_stay_as_small_as_the_first() -> None:
    sizes = PassSizes(32)
    sizes.note(8 * [DRAW], 80)
    assert sizes.of(DRAW) == FEW


def test_one_pass_that_was_held_up_changes_nothing() -> None:
    sizes = PassSizes(32)
    for seconds in (0.04, 0.04, 60, 0.04):
        sizes.note(8 * [DRAW], seconds)
    assert sizes.of(DRAW) == 20


def test_what_a_model_takes_says_nothing_of_another_nor_of_its_other_task() -> None:
    sizes = PassSizes(32)
    sizes.note(8 * [DRAW], 0.001)
    assert sizes.of(EDIT) == sizes.of(replace(DRAW, model="attngan-birds-64")) == FEW


def test_each_of_a_request_s_pictures_counts() -> None:
    sizes = PassSizes(32)
    sizes.note(2 * [replace(DRAW, variations=4)], 8 * 0.005)
    assert sizes.of(DRAW) == 20
