"""Rewrite a loaded network into one that computes the same with less work.

BatchNorm is folded into the convolution or dense layer before it, nearest upsampling and a 3x3
convolution become one transposed convolution (4/9 of the multiplications), and memory goes
channels-last. Each rewrite is exact up to rounding; for evaluation only, since statistics no longer
update.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from models.layers import N, channels_last, phase_kernel


def fuse(network: N) -> N:
    """`network`, rewritten in place; it must be in evaluation mode.

    Raises:
        ValueError: the network is in training mode.
    """
    if network.training:
        raise ValueError("only a network in evaluation mode can be fused; call eval() first")
    for module in network.modules():
        if isinstance(module, nn.Sequential):
            _fuse_sequence(module)
    return channels_last(network)


def _fuse_sequence(sequence: nn.Sequential) -> None:
    """Replace pairs of neighbours; what is absorbed leaves an `Identity`, so that indices stay."""
    for i, j in pairwise(range(len(sequence))):
        first, second = sequence[i], sequence[j]
        if _doubles(first) and _is_plain_3x3(second):
            sequence[i], sequence[j] = nn.Identity(), _phases(second)
    for i, j in pairwise(range(len(sequence))):
        first, second = sequence[i], sequence[j]
        if isinstance(first, nn.Conv2d | nn.ConvTranspose2d) and isinstance(second, nn.BatchNorm2d):
            transposed = isinstance(first, nn.ConvTranspose2d)
            sequence[i] = fuse_conv_bn_eval(first, second, transposed)
            sequence[j] = nn.Identity()
        if isinstance(first, nn.Linear) and isinstance(second, nn.BatchNorm1d):
            sequence[i], sequence[j] = fuse_linear_bn_eval(first, second), nn.Identity()


def _doubles(module: nn.Module) -> bool:
    return (
        isinstance(module, nn.Upsample)
        and module.mode == "nearest"
        and module.scale_factor in (2, 2.0, (2, 2))
    )


def _is_plain_3x3(module: nn.Module) -> bool:
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (3, 3)
        and module.stride == (1, 1)
        and module.padding == (1, 1)
        and module.dilation == (1, 1)
        and module.groups == 1
        and module.padding_mode == "zeros"
    )


def _phases(conv: nn.Module) -> nn.ConvTranspose2d:
    assert isinstance(conv, nn.Conv2d)
    up = nn.ConvTranspose2d(
        conv.in_channels, conv.out_channels, 4, 2, 1, bias=conv.bias is not None
    )
    with torch.no_grad():
        up.weight.copy_(phase_kernel(conv.weight))
        if conv.bias is not None and up.bias is not None:
            up.bias.copy_(conv.bias)
    return up.eval()
