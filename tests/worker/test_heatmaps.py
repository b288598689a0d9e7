"""Attention maps become grey pictures, one a word, and numbers that rank the words."""

from io import BytesIO

import numpy as np
from PIL import Image

from worker import heatmaps
from worker.heatmaps import Floats


def maps(*rows: list[list[float]]) -> Floats:
    return np.array(rows, dtype=np.float32)


def cut(strip: bytes, word: int, count: int) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(heatmaps.cut(strip, word, count)))).astype(int)


LEFT, RIGHT = [[0.9, 0.1], [0.9, 0.1]], [[0.1, 0.9], [0.1, 0.9]]


def test_each_word_is_cut_out_by_its_place() -> None:
    strip = heatmaps.strip(maps(LEFT, RIGHT))
    first, second = cut(strip, 0, 2), cut(strip, 1, 2)
    assert first.shape == second.shape == (256, 256)
    assert (first[:, 0] == 255).all()
    assert (first[:, -1] == 0).all()
    assert (second == first[:, ::-1]).all()


def test_an_enlarged_map_has_no_steps() -> None:
    across = cut(heatmaps.strip(maps(LEFT, RIGHT)), 0, 2)[0]
    assert abs(np.diff(across)).max() <= 4


def test_a_weak_word_is_as_readable_as_a_strong_one() -> None:
    """The second word has a third of the first one's weight, and elsewhere."""
    strip = heatmaps.strip(maps([[0.9, 0.7]], [[0.1, 0.3]], [[0.0, 0.0]], [[0.0, 0.0]]))
    assert cut(strip, 1, 4)[:, -1].min() > 190


def test_a_word_that_looked_everywhere_alike_stays_dark() -> None:
    nearly_even = maps([[0.501, 0.5]], [[0.499, 0.5]])
    assert cut(heatmaps.strip(nearly_even), 0, 2).max() < 5


def test_a_word_is_strong_that_takes_places_for_itself() -> None:
    strong, weak, spread = [[0.9, 0.1]], [[0.0, 0.5]], [[0.1, 0.4]]
    first, second, third = heatmaps.strengths(maps(strong, weak, spread))
    assert 1 > first > second > third > 0


def test_a_word_alone_has_all_the_strength_and_even_attention_gives_none() -> None:
    assert heatmaps.strengths(maps([[1.0, 1.0]])) == (1.0,)
    assert heatmaps.strengths(maps([[0.5, 0.5]], [[0.5, 0.5]])) == (0, 0)
