"""Small pieces that several papers share.

Shapes: B batch, C channels, h w sides of a feature map.
"""

from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd import Function

N = TypeVar("N", bound=nn.Module)

# How a 3-tap kernel behind nearest-neighbour upsampling acts on the small side: rows are the taps
# of the transposed convolution, columns those of the kernel.
_PHASES = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))


def phase_kernel(weight: Tensor) -> Tensor:
    """The 4x4 stride-2 transposed convolution that equals 2x nearest upsampling, then `weight`.

    (C_out, C_in, 3, 3) -> (C_in, C_out, 4, 4). Each output phase needs 2x2 products instead of
    3x3, so the result takes 4/9 of the multiplications and is the same up to rounding.
    """
    phases = torch.tensor(_PHASES, dtype=weight.dtype, device=weight.device)
    return torch.einsum("ay,bx,oiyx->ioab", phases, phases, weight)


class GLU(nn.Module):
    """Gated linear unit over channels: the first half times the sigmoid of the second.

    The same numbers as `nn.GLU(dim=1)`, whose gradient loses the channels-last layout: on a CPU the
    BatchNorm before it then takes several times as long.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, 2C, ...) -> (B, C, ...)."""
        value, gate = x.chunk(2, dim=1)
        return value * torch.sigmoid(gate)


class LivingGate(Function):
    """A sigmoid that can always be opened again, and shut.

    Forward it is the sigmoid. Backward, where a gate is far open or far shut and the gradient would
    have it back, the gradient is no smaller than at a gate of `FLOOR`. A sigmoid's own is gone by
    then (3e-4 at a logit of -8): a gate once shut on all that is white never opened for "red".
    """

    FLOOR = 0.01

    @staticmethod
    def forward(ctx: Any, logits: Tensor) -> Tensor:
        gate = torch.sigmoid(logits)
        ctx.save_for_backward(gate)
        return gate

    @staticmethod
    def backward(ctx: Any, wanted: Tensor) -> Tensor:
        (gate,) = ctx.saved_tensors
        slope = gate * (1 - gate)
        comes_back = (gate < 0.5) == (wanted < 0)  # a step goes against the gradient
        floor = LivingGate.FLOOR * (1 - LivingGate.FLOOR)
        return wanted * torch.where(comes_back, slope.clamp(min=floor), slope)


class SubPixelUp(nn.ConvTranspose2d):
    """Learned 2x upsampling: four 2x2 phase filters, as one transposed convolution.

    Source: Shi et al., CVPR 2016, arXiv:1609.05158. It starts out as nearest-neighbour upsampling
    and a 3x3 convolution (as in Aitken et al., arXiv:1707.02937), so that no checkerboard is there
    to be unlearned.
    """

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(c_in, c_out, kernel_size=4, stride=2, padding=1, bias=False)
        smooth = nn.Conv2d(c_in, c_out, 3, bias=False).weight
        with torch.no_grad():
            self.weight.copy_(phase_kernel(smooth))


def channels_last(module: N) -> N:
    """`module` with its 4-d weights laid out channels-last, in place: faster convolutions."""
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in the stubs
    return module
