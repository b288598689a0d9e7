"""Captions to one tensor of word indices, as the text encoders take it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.base import EmptyCaption
from models.text.vocabulary import PAD, Vocabulary


def word_rows(captions: Sequence[str], vocabulary: Vocabulary, max_words: int) -> Tensor:
    """(B, T) indices of each caption's first `max_words` words, padded to the longest with PAD.

    Raises:
        EmptyCaption: a caption has no word.
    """
    rows = [vocabulary.encode(caption, max_words) for caption in captions]
    if not all(rows):
        raise EmptyCaption("a caption needs at least one word")
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])
