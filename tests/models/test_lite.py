"""The frozen encoders are the published networks, and let gradients through to the picture."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image
from torch import Tensor

from models.lite import CONFIGS, ConvNorm, load_lite, load_unfolded, scaled

PALACE = 698  # of ImageNet's thousand classes


@pytest.fixture
def pictures() -> Tensor:
    return torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("name", CONFIGS)
def test_maps_halve_from_a_quarter_of_the_side(name: str, pictures: Tensor) -> None:
    maps = load_lite(name).features(pictures)
    channels = CONFIGS[name].tap_channels
    shapes = [(2, c, side, side) for c, side in zip(channels, (32, 16, 8, 4), strict=True)]
    assert [tuple(m.shape) for m in maps] == shapes


@pytest.mark.parametrize("name", CONFIGS)
def test_folding_changes_no_answer(name: str, pictures: Tensor) -> None:
    plain, folded = load_unfolded(name).features(pictures), load_lite(name).features(pictures)
    for a, b in zip(plain, folded, strict=True):
        assert torch.allclose(a, b, atol=1e-4)


def test_fewer_taps_are_the_first_of_all_taps(pictures: Tensor) -> None:
    network = load_lite("lite0")
    first, second = network.features(pictures, taps=2)
    every = network.features(pictures)
    assert torch.equal(first, every[0])
    assert torch.equal(second, every[1])


def test_a_network_cut_after_some_maps_gives_the_same_and_holds_less(pictures: Tensor) -> None:
    whole, cut = load_lite("lite0"), load_lite("lite0", taps=3)
    for one, other in zip(cut.features(pictures), whole.features(pictures, 3), strict=True):
        assert torch.equal(one, other)
    assert cut.cfg.tap_channels == whole.cfg.tap_channels[:3]
    assert sum(p.numel() for p in cut.parameters()) < sum(p.numel() for p in whole.parameters()) / 3


def test_lite2_sees_a_palace_on_a_photo_of_one() -> None:
    photo = Image.fromarray(load_sample_image("china.jpg")).resize((260, 260))
    image = torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None] / 127.5 - 1
    assert int(load_lite("lite2")(image).argmax()) == PALACE


def test_gradients_reach_the_picture_and_not_the_weights(pictures: Tensor) -> None:
    network = load_lite("lite0").train()
    pictures.requires_grad_()
    network.features(pictures)[-1].square().mean().backward()
    assert pictures.grad is not None
    assert pictures.grad.abs().amax((1, 2, 3)).min() > 0
    assert all(p.grad is None for p in network.parameters())


def test_training_mode_changes_no_answer(pictures: Tensor) -> None:
    network = load_unfolded("lite0")
    before = network.features(pictures)[-1]
    assert torch.equal(network.train().features(pictures)[-1], before)


def test_pixels_are_scaled_as_the_networks_were_trained() -> None:
    pixels = torch.tensor([0.0, 127.0, 255.0])
    assert scaled(pixels / 127.5 - 1).tolist() == pytest.approx([-127 / 128, 0, 1], abs=1e-6)


def test_strided_padding_puts_the_odd_row_after() -> None:
    unit = ConvNorm(1, 1, kernel=3, stride=2).eval()
    torch.nn.init.ones_(unit.conv.weight)
    second = torch.zeros(1, 1, 8, 8)
    second[..., 1, 1] = 1  # in the first window alone; padded before, it would be in four
    assert int((unit(second) > 0).sum()) == 1


def test_bfloat16_and_channels_last_stay_near_float32(pictures: Tensor) -> None:
    network = load_lite("lite0")
    exact = network.features(pictures)[-1]
    network.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        fast = network.features(pictures.to(memory_format=torch.channels_last))[-1].float()
    assert (fast - exact).norm() < 0.1 * exact.norm()


def test_an_odd_side_rounds_up(pictures: Tensor) -> None:
    maps = load_lite("lite0").features(pictures[..., :101, :101])
    assert [m.shape[-1] for m in maps] == [26, 13, 7, 4]
