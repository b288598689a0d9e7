import pytest

from bench.live import Sight, row

TYPED = [(0.0, "a"), (0.5, "a r"), (1.0, "a r"), (1.5, "a re"), (2.0, "a red")]
SHOWN = [(0.2, "a"), (0.6, "a r"), (1.7, "a re"), (2.3, "a red")]


def test_only_pictures_that_come_while_somebody_types_count() -> None:
    sight = Sight(TYPED, SHOWN, uploads=1)
    assert sight.pictures_per_s == 3 / 2
    assert sight.edits_per_s == 3 / 2


def test_a_picture_is_behind_the_key_that_made_its_caption() -> None:
    shown = [*SHOWN, (2.5, "typed before the watch began")]
    assert Sight(TYPED, shown, uploads=1).behind_s == pytest.approx([0.2, 0.1, 0.2, 0.3])


def test_a_row_says_whether_the_bar_is_kept() -> None:
    assert row("16", Sight(TYPED, SHOWN, uploads=1))[-1] == "MISSED (>= 8)"
    many = [(n / 10, "a") for n in range(20)]
    assert row("16", Sight(TYPED, many, uploads=1))[-1] == "kept (>= 8)"
