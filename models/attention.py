"""Word attention of a generator: each place of a feature map takes what the words say of it.

Source: Xu et al., "AttnGAN", CVPR 2018, arXiv:1711.10485, section 3.1 (F_attn).
Not from the paper: the authors' code lets a place of one caption be masked by another caption's
padding when a batch has more than one; here every caption has its own mask.
Shapes: B batch, T words, D text width, C channels, h w sides of the map.
"""

import torch
from torch import Tensor, nn

from models.base import TextFeatures


class WordAttention(nn.Module):
    """Projects words to the map's width; a place weighs them by how well they agree with it."""

    def __init__(self, text_dim: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(text_dim, channels, 1, bias=False)

    def forward(self, h: Tensor, text: TextFeatures) -> tuple[Tensor, Tensor]:
        """(B, C, h, w), captions -> word context (B, C, h, w), weights (B, T, h, w).

        The weights of a place are in [0, 1], sum to 1 over the words, and are 0 at padding.
        """
        keys = self.project(text.words.transpose(1, 2)[..., None])[..., 0]  # (B, C, T)
        weights = text.weigh(torch.einsum("bct,bchw->bthw", keys, h).float())
        return torch.einsum("bct,bthw->bchw", keys, weights.to(keys.dtype)), weights
