"""What all systems share: mixtures of captions."""

import torch

from models.base import TextFeatures


def _caption(words: int, energy: float) -> tuple[TextFeatures, torch.Tensor]:
    """A caption in a batch of two, the second of one word, and energies of its words."""
    mask = torch.arange(words) < torch.tensor([[words], [1]])
    features = TextFeatures(torch.randn(2, words, 4), torch.randn(2, 4), mask)
    return features, torch.full((2, words, 3, 3), energy)


def test_captions_share_the_attention_by_position_whatever_their_energies() -> None:
    (weak, low), (strong, high) = _caption(3, -50.0), _caption(5, 50.0)
    mixed = weak.mix(strong, torch.tensor([0.25, 0.75]))
    weights = mixed.weigh(torch.cat([low, high], dim=1))
    torch.testing.assert_close(weights.sum(1), torch.ones(2, 3, 3))
    torch.testing.assert_close(weights[0, :3], torch.full((3, 3, 3), 0.75 / 3))
    torch.testing.assert_close(weights[1, 3], torch.full((3, 3), 0.75))
    assert weights[1, 1:3].count_nonzero() == weights[1, 4:].count_nonzero() == 0  # padding


def test_at_an_end_only_that_ends_words_are_read() -> None:
    first, second = _caption(3, 0.0)[0], _caption(2, 0.0)[0]
    mixed = first.mix(second, torch.tensor([0.0, 1.0]))
    assert mixed.mask.tolist() == [[True] * 3 + [False] * 2, [False] * 3 + [True, False]]
    assert torch.equal(mixed.sentence[0], first.sentence[0])
    assert torch.equal(mixed.sentence[1], second.sentence[1])
