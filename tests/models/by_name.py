"""Layers by the names of their tensors in the authors' code, with golden.py's weights.

A network that has no golden numbers is written down a second time with these, from the names alone
and without our modules; ours must compute the same.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from tests.models.golden import weight

_STATISTICS = ("running_mean", "running_var", "weight", "bias")


def conv(x: Tensor, name: str, c_out: int, kernel: int, **options: int) -> Tensor:
    """Without a bias."""
    return F.conv2d(x, weight(f"{name}.weight", (c_out, x.shape[1], kernel, kernel)), **options)


def conv_up(x: Tensor, name: str, c_out: int, **options: int) -> Tensor:
    """A transposed convolution, four taps a side, without a bias."""
    return F.conv_transpose2d(x, weight(f"{name}.weight", (x.shape[1], c_out, 4, 4)), **options)


def biased(x: Tensor, name: str) -> Tensor:
    return x + weight(f"{name}.bias", (x.shape[1],)).view(-1, *[1] * (x.ndim - 2))


def dense(x: Tensor, name: str, c_out: int) -> Tensor:
    """Without a bias."""
    return F.linear(x, weight(f"{name}.weight", (c_out, x.shape[1])))


def norm(x: Tensor, name: str) -> Tensor:
    return F.batch_norm(x, *(weight(f"{name}.{part}", (x.shape[1],)) for part in _STATISTICS))


def leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def spread(cond: Tensor, h: Tensor) -> Tensor:
    """(B, K) -> (B, K, h, w)."""
    return cond[..., None, None].expand(-1, -1, *h.shape[2:])


def glu(x: Tensor) -> Tensor:
    value, gate = x.chunk(2, dim=1)
    return value * torch.sigmoid(gate)
