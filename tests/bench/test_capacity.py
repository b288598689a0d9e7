from bench.capacity import row
from bench.edit import Timing


def test_a_row_counts_edits_after_the_warm_up_and_tells_their_times() -> None:
    timings = [Timing(0.1, 0.2, {"batch_size": size}) for size in (1, 1, 4)] * 12
    assert row(4, timings, seconds=20.0) == ["4", "2.0", "100", "100", "2.0"]
