"""The symmetric structured joint embedding: a text encoder learns what sets pictures apart.

Source: Reed, Akata, Schiele and Lee, CVPR 2016, arXiv:1605.05395, section 3.1; eq. 2 to 4 of Reed
et al., ICML 2016, arXiv:1605.05396, whose 0-1 loss is bounded by the hinge that is lowered here.
Not from the paper: every picture is a class of its own, with its like left out; pictures are seen
by a frozen EfficientNet-Lite0, where the paper has GoogLeNet.
Shapes: B batch, D text width, S image side in pixels.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from models.lite import Lite


class ImageSide(nn.Module):
    """phi(v): a picture as a vector that a caption's vector can be compared with."""

    def __init__(self, encoder: Lite, text_dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.project = nn.Linear(sum(encoder.cfg.tap_channels), text_dim)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, D)."""
        with torch.no_grad():
            pooled = [tap.mean((2, 3)) for tap in self.encoder.features(image)]
        return self.project(torch.cat(pooled, dim=1).float())


def joint_embedding_loss(pictures: Tensor, captions: Tensor, alike: Tensor) -> Tensor:
    """Hinge of every wrong pair of the batch against the right one, by picture and by caption.

    (B, D) twice, and (B, B) True where a caption fits another's picture too.
    """
    scores = pictures @ captions.T / captions.shape[1] ** 0.5  # phi(v) . phi(t) of eq. 3 and 4
    right = scores.diag()
    wrong = ~alike
    by_picture = relu(1 + scores - right[:, None])[wrong]
    by_caption = relu(1 + scores - right[None, :])[wrong]
    return (by_picture.sum() + by_caption.sum()) / wrong.sum().clamp(min=1)


def same_captions(index: Tensor) -> Tensor:
    """(B, T) word indices -> (B, B), True where two captions are the same words."""
    return (index[:, None] == index[None]).all(-1)
