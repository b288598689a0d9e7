"""TAGAN's text encoder: a bidirectional GRU over word vectors, trained with the networks.

Source: Nam et al., NeurIPS 2018, arXiv:1810.11919, section 3.1.
Shapes: B batch, T words, E word-vector width, D text width.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.base import TextFeatures


class BiGRU(nn.Module):
    """Each word's two hidden states averaged; the sentence is the mean over real words."""

    def __init__(self, word_dim: int, text_dim: int) -> None:
        super().__init__()
        self.text_dim = text_dim
        self.rnn = nn.GRU(word_dim, text_dim, batch_first=True, bidirectional=True)

    def forward(self, vectors: Tensor, mask: Tensor) -> TextFeatures:
        """(B, T, E), (B, T) True at real words, which come first -> features of width D."""
        with torch.autocast(vectors.device.type, enabled=False):
            lengths = mask.sum(1).cpu()
            packed = pack_padded_sequence(
                vectors.float(), lengths, batch_first=True, enforce_sorted=False
            )
            hidden, _ = self.rnn(packed)
            both, _ = pad_packed_sequence(hidden, batch_first=True, total_length=mask.shape[1])
            forward, backward = both.split(self.text_dim, dim=-1)
            words = (forward + backward) / 2  # (B, T, D), zero at padding
            sentence = words.sum(1) / mask.sum(1, keepdim=True)
        return TextFeatures(words, sentence, mask)
