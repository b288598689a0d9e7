"""Where an edit's glow is measured."""

import numpy as np

from bench.glow import EDGES, bands


def test_bands_lie_around_the_object_and_share_no_pixel() -> None:
    inside = np.zeros((256, 256), bool)
    inside[120:130, 120:130] = True
    found = bands(inside)
    assert np.array_equal(found[0], inside)
    assert np.sum(found, axis=0).max() == 1
    for band, nearest, farthest in zip(found[1:], EDGES, EDGES[1:], strict=False):
        columns = np.flatnonzero(band[125])
        assert columns.max() == 129 + farthest
        assert columns[columns > 129].min() == 130 + nearest
