"""models/fuse.py"""

import pytest
import torch
from torch import nn

from models import tagan
from models.fuse import fuse
from models.layers import SubPixelUp, phase_kernel
from models.text.vocabulary import Vocabulary


def _alive(network: nn.Module) -> nn.Module:
    """Statistics and weights as after training, so that folding has something to fold."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
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


@pytest.mark.parametrize("options", [{}, {"upsample": "subpixel", "skips": True, "blend": True}])
def test_a_fused_system_gives_the_same_picture(options: dict[str, object]) -> None:
    torch.manual_seed(0)
    cfg = tagan.Config(
        image_size=32, word_dim=6, text_dim=8, cond_dim=4, widths=(8, 12, 16), blocks=2, **options
    )
    system = _alive(tagan.Tagan(cfg, Vocabulary(("red", "blue", "a"))))
    text = system.encode_text(["a red", "blue"])
    image, noise = torch.rand(2, 3, 32, 32) * 2 - 1, torch.randn(2, 4)
    with torch.inference_mode():
        plain = system.manipulate(system.prepare(image), text, noise).image
        fused = fuse(system)
        again = fused.manipulate(fused.prepare(image), text, noise).image
    assert not any(isinstance(m, nn.BatchNorm2d | nn.Upsample) for m in fused.modules())
    torch.testing.assert_close(again, plain, atol=1e-4, rtol=0)


def test_a_network_in_training_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="evaluation mode"):
        fuse(nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)))
