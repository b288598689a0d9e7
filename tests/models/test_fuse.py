"""models/fuse.py"""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models import (
    attngan,
    gan_int_cls,
    inversion,
    sisgan,
    stackgan,
    stackgan_v2,
    style_encoder,
    tagan,
)
from models.base import System
from models.fuse import fuse
from models.layers import SubPixelUp, phase_kernel
from models.registry import Task
from models.text.vocabulary import Vocabulary


def _alive(network: nn.Module) -> nn.Module:
    """Statistics and weights as after training, so that folding has something to fold."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight, 1, 0.2)
            nn.init.normal_(module.bias)
    return network.eval()


def test_phase_kernel_equals_upsampling_and_convolution_up_to_the_border() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 5, 3, padding=1, bias=False)
    x = torch.randn(2, 3, 7, 6)
    expected = conv(nn.functional.interpolate(x, scale_factor=2))
    actual = nn.functional.conv_transpose2d(x, phase_kernel(conv.weight), stride=2, padding=1)
    torch.testing.assert_close(actual, expected, atol=1e-6, rtol=1e-5)


def test_learned_upsampling_starts_without_a_checkerboard() -> None:
    torch.manual_seed(0)
    flat = SubPixelUp(4, 3)(torch.ones(1, 4, 8, 8))[..., 2:-2, 2:-2]
    torch.testing.assert_close(flat, flat[..., :1, :1].expand_as(flat))


@pytest.mark.parametrize(
    ("module", "changes"),
    [
        pytest.param(tagan, {"image_size": 32, "widths": (8, 12, 16), "blocks": 2}, id="tagan"),
        pytest.param(
            tagan, {"upsample": "subpixel", "skips": True, "blend": True}, id="tagan-small"
        ),
        pytest.param(sisgan, {}, id="sisgan"),
        pytest.param(gan_int_cls, {}, id="gan_int_cls"),
        pytest.param(gan_int_cls, {"dcgan": True}, id="dcgan"),
        pytest.param(style_encoder, {}, id="style_encoder"),
        pytest.param(stackgan, {"gen_channels": 16}, id="stackgan"),
        pytest.param(stackgan_v2, {}, id="stackgan_v2"),
        pytest.param(attngan, {}, id="attngan"),
        pytest.param(attngan, {"upsample": "subpixel"}, id="attngan-small"),
        pytest.param(inversion, {}, id="inversion"),
    ],
)
def test_a_fused_system_gives_the_same_picture(module: Any, changes: dict[str, object]) -> None:
    torch.manual_seed(0)
    cfg = replace(module.TINY, **changes)
    system = _alive(module.SYSTEM(cfg, Vocabulary(("red", "blue", "a"))))
    with torch.no_grad():
        plain = _picture(system)
        fused = fuse(system)
        again = _picture(fused)
    left = (nn.BatchNorm1d, nn.BatchNorm2d, nn.Upsample)
    assert not any(isinstance(m, left) for m in fused.modules())
    assert plain.std() > 1e-3
    torch.testing.assert_close(again, plain, atol=1e-4, rtol=0)


def test_a_network_in_training_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="evaluation mode"):
        fuse(nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)))


def _picture(system: System) -> Tensor:
    """What the system does with two captions, and with two pictures if it takes them."""
    text, side = system.encode_text(["a red", "blue"]), system.cfg.image_size
    draw = torch.Generator().manual_seed(1)
    image = torch.rand(2, 3, side, side, generator=draw) * 2 - 1
    noise = torch.randn(2, system.noise_dim, generator=draw)
    if Task.MANIPULATE in system.tasks:
        return system.manipulate(system.prepare(image), text, noise).image
    return system.generate(text, noise).image
