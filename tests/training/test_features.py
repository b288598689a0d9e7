"""training/features.py: heads judge real pictures with their words, and only heads learn."""

import torch
from torch import Tensor

from models.lite import load_lite
from training.features import FeatureDiscriminator, Mixture, hinge_discriminator

SENTENCE = torch.randn(2, 8, generator=torch.Generator().manual_seed(1))


def test_each_sentence_is_judged_as_if_it_were_the_only_one() -> None:
    judge = FeatureDiscriminator(load_lite("lite0"), 8, width=8, side=None).eval()
    taps = judge.features(_pictures())
    both = judge(taps, SENTENCE, -SENTENCE)
    alone = [judge(taps, sentence)[0] for sentence in (SENTENCE, -SENTENCE)]
    for expected, found in zip(alone, both, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    assert not torch.equal(both[0][0], both[1][0])


def test_heads_of_all_depths_judge_patches_of_one_grid() -> None:
    judge = FeatureDiscriminator(load_lite("lite0"), 8, width=8)
    taps = judge.features(_pictures())
    assert [tap.shape[-1] for tap in taps] == [32, 16, 8, 4]
    assert [logits.shape[-1] for logits in judge(taps, SENTENCE)[0]] == [4, 4, 4, 4]


def test_pictures_are_brought_to_the_side_that_is_asked_for() -> None:
    judge = FeatureDiscriminator(load_lite("lite0"), 8, side=96)
    assert [tap.shape[-1] for tap in judge.features(_pictures())] == [24, 12, 6, 3]


def test_the_heads_learn_and_the_mixture_stays() -> None:
    judge = FeatureDiscriminator(load_lite("lite0"), 8, width=8, side=None)
    trained = {id(parameter) for parameter in judge.trained_parameters()}
    wanting = {id(parameter) for parameter in judge.parameters() if parameter.requires_grad}
    assert wanting == trained
    assert not any(parameter.requires_grad for parameter in judge.mix.parameters())


def test_a_deep_tap_reaches_every_finer_one() -> None:
    mixture = Mixture((3, 4, 5), width=6)
    taps = [torch.randn(1, c, side, side) for c, side in ((3, 8), (4, 4), (5, 2))]
    before = mixture(taps)
    after = mixture([*taps[:2], taps[2] + 1])
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_hinge_is_lowest_where_only_the_right_pair_is_accepted() -> None:
    yes, no = [torch.full((2, 1, 1, 1), 2.0)], [torch.full((2, 1, 1, 1), -2.0)]
    assert hinge_discriminator(yes, no, no) == 0
    assert hinge_discriminator(no, no, no) > 0
    assert hinge_discriminator(yes, yes, no) > 0
    assert hinge_discriminator(yes, no, yes) > 0


def _pictures() -> Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
