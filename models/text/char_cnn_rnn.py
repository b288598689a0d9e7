"""Char-CNN-RNN: a caption's characters to one vector, the text encoder of GAN-INT-CLS and StackGAN.

Source: Reed, Akata, Schiele and Lee, "Learning Deep Representations of Fine-Grained Visual
Descriptions", CVPR 2016, arXiv:1605.05395, section 3; the two published forms are a gated network
over 18 steps ("gru") and a plain one over 8 ("rnn").
Shapes: B batch, L characters, A = 70 letters of the alphabet, K steps, C channels, D text width.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from models.base import EmptyCaption, TextFeatures
from models.text.vocabulary import ALPHABET, has_letter

LENGTH = 201  # L; what comes later is not read

# The hyphen stands twice in the authors' alphabet, and its second place is the one that counts.
_PLACE = {character: i for i, character in enumerate(ALPHABET)}
_NONE = -1  # a character outside the alphabet, or none


class CharCnnRnn(nn.Module):
    """Convolutions over characters, a recurrent network over what they find, its mean state."""

    def __init__(
        self,
        text_dim: int = 1024,
        recurrent: Literal["gru", "rnn"] = "gru",
        widths: tuple[int, int, int] | None = None,
    ) -> None:
        """`widths` are C of the three convolutions; by default the published ones."""
        super().__init__()
        gated = recurrent == "gru"
        first, second, last = widths or (384, 512, 512 if gated else 256)
        self.convolutions = nn.Sequential(
            nn.Conv1d(len(ALPHABET), first, 4),
            nn.ReLU(),
            nn.MaxPool1d(3, 3),
            nn.Conv1d(first, second, 4),
            nn.ReLU(),
            nn.MaxPool1d(3, 3),
            nn.Conv1d(second, last, 4),
            nn.ReLU(),
            nn.Identity() if gated else nn.MaxPool1d(3, 2),
        )
        self.recurrent = FixedGRU(last) if gated else FixedRNN(last)
        self.out = nn.Linear(last, text_dim)

    def forward(self, characters: Tensor) -> TextFeatures:
        """(B, L) places in the alphabet, -1 for none -> the whole caption as its one word."""
        letters = one_hot(characters + 1, len(ALPHABET) + 1)[..., 1:]  # (B, L, A), none is all 0
        found = self.convolutions(letters.to(self.out.weight.dtype).mT)  # (B, C, K)
        sentence = self.out(self.recurrent(found.unbind(-1)))
        mask = torch.ones(len(sentence), 1, dtype=torch.bool, device=sentence.device)
        return TextFeatures(sentence[:, None], sentence, mask)

    def read(self, captions: Sequence[str]) -> TextFeatures:
        """Captions -> features.

        Raises:
            EmptyCaption: a caption has no letter and no digit.
        """
        return self(spell(captions).to(self.out.weight.device))


class FixedGRU(nn.Module):
    """Gated recurrence; the first state is drawn from the input alone, as in the authors' code."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # of the update gate, the reset gate and the candidate
        self.from_input = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.from_hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(3))

    def forward(self, steps: Sequence[Tensor]) -> Tensor:
        """K of (B, C) -> the mean of K states, (B, C)."""
        hidden = self.from_input[2](steps[0]).tanh()
        total = hidden
        for x in steps[1:]:
            update, reset = (
                torch.sigmoid(self.from_input[i](x) + self.from_hidden[i](hidden)) for i in (0, 1)
            )
            candidate = self.from_input[2](x) + self.from_hidden[2](reset * hidden)
            hidden = update * candidate.tanh() + (1 - update) * hidden
            total = total + hidden
        return total / len(steps)


class FixedRNN(nn.Module):
    """Plain recurrence with ReLU; the first state comes from the input alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.from_input = nn.ModuleList([nn.Linear(width, width)])
        self.from_hidden = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, steps: Sequence[Tensor]) -> Tensor:
        """K of (B, C) -> the mean of K states, (B, C)."""
        hidden = self.from_input[0](steps[0]).relu()
        total = hidden
        for x in steps[1:]:
            hidden = (self.from_input[0](x) + self.from_hidden[0](hidden)).relu()
            total = total + hidden
        return total / len(steps)


def spell(captions: Sequence[str]) -> Tensor:
    """Captions -> (B, L) places in the alphabet; -1 where there is no known character.

    Raises:
        EmptyCaption: a caption has no letter and no digit.
    """
    if not all(map(has_letter, captions)):
        raise EmptyCaption("a caption needs at least one word")
    rows = [[_PLACE.get(c, _NONE) for c in text.lower()[:LENGTH]] for text in captions]
    return torch.tensor([row + [_NONE] * (LENGTH - len(row)) for row in rows])
