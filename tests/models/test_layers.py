"""models/layers.py: pieces that are faster than torch's own give torch's numbers."""

import torch
from torch import Tensor, nn

from models.layers import GLU, LivingGate


def test_the_gated_unit_gives_torchs_numbers_and_keeps_the_layout_of_its_gradient() -> None:
    x = torch.randn(2, 6, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    assert torch.allclose(GLU()(x), nn.GLU(dim=1)(x), atol=1e-6)
    y, seen = x * 1, list[Tensor]()
    y.register_hook(seen.append)
    GLU()(y).square().sum().backward()
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_a_living_gate_is_a_sigmoid() -> None:
    logits = torch.linspace(-4, 4, 9, dtype=torch.float64, requires_grad=True)
    assert torch.equal(LivingGate.apply(logits), torch.sigmoid(logits))
    assert torch.autograd.gradcheck(LivingGate.apply, logits)


def test_a_gate_that_is_shut_or_open_for_good_comes_back_and_goes_no_further() -> None:
    logits = torch.tensor([-20.0, -20.0, 20.0, 20.0], requires_grad=True)
    LivingGate.apply(logits).backward(torch.tensor([-1.0, 1.0, -1.0, 1.0]))
    assert logits.grad is not None
    come_back, go_on = logits.grad[[0, 3]], logits.grad[[1, 2]]
    assert torch.allclose(come_back, torch.tensor([-0.0099, 0.0099]))
    assert (go_on.abs() < 1e-6).all()
