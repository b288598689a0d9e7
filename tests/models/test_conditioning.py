"""Captions' vectors are drawn around their means, with all of the noise only in training."""

import pytest
import torch
from torch import nn

from models.conditioning import ConditioningAugmentation


def augmentation(truncation: float, *, trains: bool = False) -> ConditioningAugmentation:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(5, 6))
    return ConditioningAugmentation(layers, truncation=truncation).train(trains)


@pytest.fixture
def sentence() -> torch.Tensor:
    return torch.randn(2, 5, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def noise() -> torch.Tensor:
    return torch.randn(2, 3, generator=torch.Generator().manual_seed(2))


def test_all_of_the_noise_counts_while_it_is_trained(
    sentence: torch.Tensor, noise: torch.Tensor
) -> None:
    drawn = augmentation(0.25, trains=True)(sentence, noise)
    deviation = (0.5 * drawn.logvar).exp()
    torch.testing.assert_close(drawn.cond, drawn.mu + deviation * noise)


def test_what_is_served_keeps_that_share_of_the_way_from_the_mean(
    sentence: torch.Tensor, noise: torch.Tensor
) -> None:
    whole, part = (augmentation(share)(sentence, noise) for share in (1.0, 0.25))
    torch.testing.assert_close(part.cond - part.mu, 0.25 * (whole.cond - whole.mu))


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_truncation_that_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=f"truncation must be from 0 to 1, not {share}"):
        augmentation(share)
