"""Small pieces that several papers share."""

import torch
from torch import Tensor, nn


class SubPixelConv(nn.Module):
    """A 3x3 convolution to four times the channels, shuffled to twice the side.

    Source: Shi et al., CVPR 2016, arXiv:1609.05158. It starts out as nearest-neighbour upsampling
    (ICNR, Aitken et al., arXiv:1707.02937), so that no checkerboard is there to be unlearned.
    """

    def __init__(self, c_in: int, c_out: int, *, bias: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, 4 * c_out, 3, padding=1, bias=bias)
        with torch.no_grad():
            one_phase = self.conv.weight[::4].clone()
            self.conv.weight.copy_(one_phase.repeat_interleave(4, dim=0))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, h, w) -> (B, C_out, 2h, 2w)."""
        return nn.functional.pixel_shuffle(self.conv(x), 2)
