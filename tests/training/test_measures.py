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


def test_frechet_distance_of_known_normals_is_their_formula() -> None:
    draw = torch.Generator().manual_seed(0)
    a = torch.randn(4000, 3, generator=draw)
    b = 2 * torch.randn(4000, 3, generator=draw) + 1
    assert measures.frechet_distance(a, b) == pytest.approx(3 * 1 + 3 * (2 - 1) ** 2, rel=0.1)
    assert measures.frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_agrees_with_the_roots_of_the_covariances() -> None:
    draw = torch.Generator().manual_seed(1)
    a, b = torch.randn(50, 4, generator=draw).double(), torch.rand(40, 4, generator=draw).double()
    roots = torch.linalg.eigvals(a.T.cov() @ b.T.cov()).real.sqrt().sum()
    wanted = (a.mean(0) - b.mean(0)).square().sum() + a.T.cov().trace() + b.T.cov().trace()
    assert measures.frechet_distance(a, b) == pytest.approx(float(wanted - 2 * roots))


def test_kernel_distance_of_one_distribution_is_about_nothing() -> None:
    draw = torch.Generator().manual_seed(0)
    a, b, far = (torch.randn(300, 8, generator=draw) + shift for shift in (0, 0, 1))
    same, other = measures.kernel_distance(a, b), measures.kernel_distance(a, far)
    assert abs(same.distance) < 3 * same.block_std / 50**0.5 + 0.02
    assert other.distance > 20 * abs(same.distance)


def test_class_score_counts_the_classes_that_are_surely_drawn() -> None:
    one_hot = torch.eye(5).repeat(4, 1)
    assert measures.class_score(one_hot) == pytest.approx(5)
    assert measures.class_score(one_hot[:1].repeat(9, 1)) == pytest.approx(1)
    assert measures.class_score(torch.full((9, 5), 0.2)) == pytest.approx(1)


def test_the_best_candidate_is_found_and_a_tie_is_a_miss() -> None:
    pictures = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    right, wrong = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    choices = [torch.stack(row) for row in ([right, wrong], [wrong, right], [right, right])]
    assert measures.best_of(pictures, torch.stack(choices)).tolist() == [True, False, False]


def test_distance_is_over_pairs_of_different_pictures() -> None:
    features = torch.tensor([[[0.0], [3.0]], [[1.0], [1.0]]])
    assert measures.mean_distance(features) == pytest.approx((3 + 0) / 2)


def test_interval_over_seeds_narrows_with_their_number() -> None:
    few, many = measures.mean_of([1.0, 3.0]), measures.mean_of([1.0, 3.0] * 4)
    assert few.mean == many.mean == 2
    assert few.low < many.low < 2 < many.high < few.high
    assert few.seeds == (1.0, 3.0)
