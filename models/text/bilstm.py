"""DAMSM's text encoder: a bidirectional LSTM over word vectors of its own.

Source: Xu et al., "AttnGAN", CVPR 2018, arXiv:1711.10485, section 3.2.
Shapes: B batch, T words, E word-vector width, D text width.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.base import TextFeatures
from models.text.vocabulary import PAD


class BiLSTM(nn.Module):
    """A word is its two hidden states side by side; the sentence, the last of each direction."""

    def __init__(self, vocabulary_size: int, word_dim: int, text_dim: int) -> None:
        super().__init__()
        if text_dim % 2:
            raise ValueError(f"text_dim is shared by two directions, so even, not {text_dim}")
        self.embedding = nn.Embedding(vocabulary_size, word_dim)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)  # as in the authors' code
        self.rnn = nn.LSTM(word_dim, text_dim // 2, batch_first=True, bidirectional=True)

    def forward(
        self, index: Tensor, *, dropout: float = 0.0, rng: torch.Generator | None = None
    ) -> TextFeatures:
        """(B, T) word indices, padding last -> features of width D, zero at padding.

        `dropout` is the share of word-vector entries left out in training, drawn from `rng`.
        """
        mask = index != PAD
        with torch.autocast(index.device.type, enabled=False):
            vectors = self.embedding(index)
            if dropout:
                keep = torch.rand(vectors.shape, generator=rng) >= dropout
                vectors = vectors * keep.to(vectors.device) / (1 - dropout)
            packed = pack_padded_sequence(
                vectors, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
            )
            hidden, (last, _) = self.rnn(packed)
            words, _ = pad_packed_sequence(hidden, batch_first=True, total_length=index.shape[1])
        return TextFeatures(words, last.transpose(0, 1).flatten(1), mask)
