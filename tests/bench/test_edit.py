from io import BytesIO
from itertools import islice

from PIL import Image

from bench.edit import Timing, new_photos, row

_METRICS = {"queue_s": 0.001, "predict_s": 0.05}


def test_photos_have_the_size_and_all_differ() -> None:
    photos = list(islice(new_photos((320, 240)), 3))
    assert {Image.open(BytesIO(photo)).size for photo in photos} == {(320, 240)}
    assert len(set(photos)) == 3


def test_a_row_says_whether_the_median_keeps_the_bar() -> None:
    timings = [Timing(seconds, seconds + 0.01, _METRICS) for seconds in (0.1, 0.1, 0.9)]
    name, middle, _, fetched, queued, worked, verdict = row("edit", timings, 0.15)
    assert (name, middle, fetched, queued, worked) == ("edit", "100", "110", "1", "50")
    assert verdict == "kept (< 0.15 s)"
    assert row("edit", timings, 0.05)[-1] == "MISSED (< 0.05 s)"
