"""training/warm_start.py: what fits is taken, what is frozen stays."""

from dataclasses import replace

import pytest
import torch

from models.tagan import TINY, Tagan
from models.text.vocabulary import FIRST_WORD, Vocabulary
from training.warm_start import NothingFits, take

WORDS = Vocabulary(("a", "red", "flower"))
OTHERS = Vocabulary(("flower", "yellow", "a"))


def test_a_network_of_the_same_sizes_begins_with_all_there_is() -> None:
    net, trained = Tagan(TINY, WORDS), Tagan(TINY, WORDS)
    taken = take(net, WORDS, trained, trained.vocabulary)
    assert taken.tensors == taken.of > 0
    for key, value in trained.state_dict().items():
        assert torch.equal(net.state_dict()[key], value), key


def test_a_word_keeps_its_vector_where_it_has_another_row() -> None:
    net, trained = Tagan(TINY, WORDS), Tagan(TINY, OTHERS)
    fresh = net.embedding.weight.clone()
    assert take(net, WORDS, trained, trained.vocabulary).words == 2
    a, red, flower = range(FIRST_WORD, FIRST_WORD + 3)
    assert torch.equal(net.embedding.weight[a], trained.embedding.weight[FIRST_WORD + 2])
    assert torch.equal(net.embedding.weight[flower], trained.embedding.weight[FIRST_WORD])
    assert torch.equal(net.embedding.weight[red], fresh[red])


def test_weights_of_another_shape_stay_as_they_were_drawn() -> None:
    wider = replace(TINY, widths=tuple(2 * width for width in TINY.widths))
    net, trained = Tagan(wider, WORDS), Tagan(TINY, WORDS)
    fresh = {key: value.clone() for key, value in net.state_dict().items()}
    taken = take(net, WORDS, trained, trained.vocabulary)
    assert 0 < taken.tensors < taken.of
    theirs = trained.state_dict()
    for key, value in net.state_dict().items():
        fits = value.shape == theirs[key].shape
        assert torch.equal(value, theirs[key] if fits else fresh[key]), key


def test_what_is_frozen_stays_with_its_statistics() -> None:
    net, trained = Tagan(TINY, WORDS), Tagan(TINY, WORDS)
    net.generator.requires_grad_(False)
    fresh = {key: value.clone() for key, value in net.generator.state_dict().items()}
    for buffer in trained.generator.buffers():
        buffer.add_(1)
    take(net, WORDS, trained, trained.vocabulary)
    for key, value in net.generator.state_dict().items():
        assert torch.equal(value, fresh[key]), key


def test_a_checkpoint_of_which_nothing_fits_is_refused() -> None:
    net = Tagan(TINY, WORDS).requires_grad_(False)
    with pytest.raises(NothingFits):
        take(net, WORDS, Tagan(TINY, WORDS), WORDS)
