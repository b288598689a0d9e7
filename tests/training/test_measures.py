"""What the measures say of pictures whose answer is known."""

import numpy as np
import pytest
import torch

from training import measures


def test_share_counts_only_what_counts() -> None:
    right = np.array([[True, True], [False, True]])
    counted = np.array([[True, False], [True, True]])
    found = measures.share_of(right, counted)
    assert (found.share, found.edits) == (2 / 3, 3)
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_interval_is_wide_where_edits_of_a_picture_fail_together() -> None:
    together = np.repeat(np.arange(50)[:, None] % 2 == 0, 8, axis=1)
    apart = np.stack([np.roll(np.arange(8) % 2 == 0, i) for i in range(50)])
    everything = np.ones_like(apart)
    wide, narrow = (measures.share_of(right, everything) for right in (together, apart))
    assert wide.share == narrow.share == 0.5
    assert wide.high - wide.low > 0.2
    assert narrow.high - narrow.low < 0.01


def test_white_inside_a_garment_is_not_ground() -> None:
    image = torch.ones(1, 3, 9, 9)
    image[..., 2:7, 2:7] = 0  # grey garment
    image[..., 4, 4] = 1  # a white button
    ground = measures.white_ground(image)[0, 0]
    assert int(ground.sum()) == 81 - 25
    assert not ground[4, 4]


def test_change_is_measured_inside_the_mask_on_a_scale_of_one() -> None:
    before, after = torch.full((1, 3, 4, 4), -1.0), torch.full((1, 3, 4, 4), -1.0)
    after[..., :2, :] = 1
    mask = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    mask[..., :1, :] = True
    assert measures.change(before, after, mask).tolist() == [1]
    assert measures.change(before, after, ~mask).item() == pytest.approx(1 / 3)


def test_reconstruction_errors_agree_with_each_other() -> None:
    image = torch.zeros(2, 3, 4, 4)
    found = measures.reconstruction(image, image + 0.2)
    assert found == pytest.approx({"rmse": 0.2, "rmse_unit": 0.1, "mse": 0.04})


def test_border_is_a_frame() -> None:
    mask = measures.border(torch.zeros(1, 3, 64, 64))
    assert int(mask.sum()) == 64 * 64 - 56 * 56
