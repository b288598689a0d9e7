"""What Lite2 is asked of pictures, whatever their size."""

import pytest
import torch

from training.lite2 import WIDTH, Lite2


@pytest.fixture(scope="module")
def eyes() -> Lite2:
    return Lite2()


def test_everything_has_its_width_and_classes_are_probabilities(eyes: Lite2) -> None:
    seen = eyes.look(torch.rand(2, 3, 64, 64) * 2 - 1)
    assert seen.embedding.shape == (2, 1280)
    assert seen.pooled.shape == (2, WIDTH)
    assert torch.allclose(seen.classes.sum(1), torch.ones(2), atol=1e-4)


def test_a_larger_picture_is_seen_as_it_looks_at_64_pixels(eyes: Lite2) -> None:
    small = torch.rand(1, 3, 8, 8) * 2 - 1
    drawn = torch.nn.functional.interpolate(small, size=(64, 64), mode="bilinear")
    large = torch.nn.functional.interpolate(small, size=(128, 128), mode="bilinear")
    near, same = eyes.look(large).embedding, eyes.look(drawn).embedding
    own_size = eyes.look(large, side=128).embedding
    assert (near - same).norm() < (own_size - same).norm()


def test_a_picture_is_seen_alike_in_any_batch(eyes: Lite2) -> None:
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    alone, together = eyes.look(images[:1]), eyes.look(images)
    assert torch.allclose(alone.embedding[0], together.embedding[0], atol=0.05)
