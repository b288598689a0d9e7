"""training/steps.py: how fast networks learn at each step."""

from dataclasses import dataclass

import pytest

from training.steps import scheduled


@dataclass(frozen=True)
class Rule:
    learning_rate: float = 1.0
    batch_size: int = 10
    halve_every: int | None = None
    fade: float = 0.0


def test_a_rate_without_a_rule_stays() -> None:
    assert [scheduled(Rule(), step, steps=100) for step in (0, 50, 99)] == [1, 1, 1]


def test_a_rate_halves_each_time_that_so_many_pictures_were_seen() -> None:
    rates = [scheduled(Rule(halve_every=200), step, steps=100) for step in (0, 19, 20, 39, 40)]
    assert rates == [1, 1, 0.5, 0.5, 0.25]


def test_a_rate_fades_to_nothing_over_the_last_steps() -> None:
    rates = [scheduled(Rule(fade=0.2), step, steps=100) for step in (0, 80, 90, 99, 100)]
    assert rates == pytest.approx([1, 1, 0.5, 0.05, 0])
