"""Weights to begin with: those of a trained checkpoint, wherever they fit a fresh network.

So a few hundred pictures are enough to go on from what thousands have taught, and a stage can be
added to a generator that has the earlier ones.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.text.vocabulary import FIRST_WORD, PAD, UNKNOWN, Vocabulary


class NothingFits(ValueError):
    """No tensor of the checkpoint has the name and shape of one that is to be learnt."""


class Taken(NamedTuple):
    """How much a network has from a checkpoint."""

    tensors: int  # of those that it learns, with a module's statistics
    of: int
    words: int  # that both know, where word embeddings are learnt; else 0


@torch.no_grad()
def take(net: nn.Module, vocabulary: Vocabulary, trained: nn.Module, known: Vocabulary) -> Taken:
    """Overwrite what `net` learns by what `trained` has of the same name and shape.

    Rows of word embeddings go by their words: `vocabulary` has those of `net`, `known` those of
    `trained`. What is frozen in `net` stays: it has its weights from where they belong.

    Raises:
        NothingFits: there is no such tensor.
    """
    found = trained.state_dict()
    shared = _shared_rows(vocabulary, known)
    tensors = of = words = 0
    for prefix, module in net.named_modules():
        for name, own in _learnt(module).items():
            value = found.get(f"{prefix}.{name}" if prefix else name)
            of += 1
            if value is None or own.shape[1:] != value.shape[1:]:
                continue
            if isinstance(module, nn.Embedding) and vocabulary.words:
                rows, theirs = shared.T
                own[rows] = value[theirs].to(own)
                words = len(shared) - FIRST_WORD
            elif own.shape == value.shape:
                own.copy_(value)
            else:
                continue
            tensors += 1
    if not tensors:
        raise NothingFits("none of the checkpoint's weights has the name and shape of one here")
    return Taken(tensors, of, words)


def _learnt(module: nn.Module) -> Mapping[str, Tensor]:
    """A module's own parameters and statistics, if it learns any; no others have a say."""
    parameters = dict(module.named_parameters(recurse=False))
    if not any(parameter.requires_grad for parameter in parameters.values()):
        return {}
    return parameters | dict(module.named_buffers(recurse=False))


def _shared_rows(own: Vocabulary, other: Vocabulary) -> Tensor:
    """(N, 2): where an embedding of `own` and one of `other` have the same word."""
    rows = {word: row for row, word in enumerate(other.words, FIRST_WORD)}
    pairs = [(PAD, PAD), (UNKNOWN, UNKNOWN)]
    pairs += [(row, rows[word]) for row, word in enumerate(own.words, FIRST_WORD) if word in rows]
    return torch.tensor(pairs)
