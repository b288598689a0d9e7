"""models/layers.py: pieces that are faster than torch's own give torch's numbers."""

import torch
from torch import Tensor, nn

from models.layers import GLU


def test_the_gated_unit_gives_torchs_numbers_and_keeps_the_layout_of_its_gradient() -> None:
    x = torch.randn(2, 6, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    assert torch.allclose(GLU()(x), nn.GLU(dim=1)(x), atol=1e-6)
    y, seen = x * 1, list[Tensor]()
    y.register_hook(seen.append)
    GLU()(y).square().sum().backward()
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
