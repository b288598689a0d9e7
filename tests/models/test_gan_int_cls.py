"""models/gan_int_cls.py: equal to the port whose weights are public, laid out as the authors'."""

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from models.gan_int_cls import TINY, Config, Discriminator, GanIntCls, Generator
from models.import_upstream.gan_int_cls import generator_key
from models.text.vocabulary import Vocabulary
from tests.models.golden import assert_golden, draw, fill

WORDS = Vocabulary(("a", "red", "flower", "blue", "bird"))
PORT = Config(dcgan=True, gen_channels=64)


def test_generator_equals_the_port_batched_and_single() -> None:
    generator = fill(Generator(PORT), generator_key)
    z, sentence = draw("z", 2, 100), draw("t1024", 2, 1024)
    with torch.inference_mode():
        together = generator(z, sentence)
        alone = [generator(z[i : i + 1], sentence[i : i + 1]) for i in range(2)]
    assert_golden("aelnouby_G_b2", [together])
    assert_golden("aelnouby_G_b2", [torch.cat(alone)])


def test_discriminator_equals_the_port_batched_and_single() -> None:
    discriminator = fill(Discriminator(PORT), _discriminator_key)
    image, sentence = draw("x64", 2, 3, 64, 64), draw("t1024", 2, 1024)
    with torch.inference_mode():
        together = discriminator(image, sentence)
        alone = [discriminator(image[i : i + 1], sentence[i : i + 1]) for i in range(2)]
    logits, features = (torch.cat(pair) for pair in zip(*alone, strict=True))
    assert_golden("aelnouby_D_b2", [together.logits.sigmoid(), together.features])
    assert_golden("aelnouby_D_b2", [logits.sigmoid(), features])


def test_generator_has_the_authors_layers() -> None:
    assert _convolutions(Generator(Config())) == [
        (228, 1024, 4, 4),
        *[(256, 1024, 1, 1), (256, 256, 3, 3), (1024, 256, 3, 3)],
        (1024, 512, 4, 4),
        *[(128, 512, 1, 1), (128, 128, 3, 3), (512, 128, 3, 3)],
        *[(512, 256, 4, 4), (256, 128, 4, 4), (128, 3, 4, 4)],
    ]


def test_discriminator_has_the_authors_layers() -> None:
    assert _convolutions(Discriminator(Config())) == [
        *[(64, 3, 4, 4), (128, 64, 4, 4), (256, 128, 4, 4), (512, 256, 4, 4)],
        *[(128, 512, 1, 1), (128, 128, 3, 3), (512, 128, 3, 3)],
        *[(512, 640, 1, 1), (1, 512, 4, 4)],
    ]


def test_nothing_bends_between_the_authors_last_two_halvings() -> None:
    layers: Any = Discriminator(Config()).encoder.layers
    assert [type(part) for part in layers[2]] == [nn.Conv2d, nn.BatchNorm2d]
    assert [type(part) for part in layers[1]] == [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]


@pytest.mark.parametrize("dcgan", [False, True])
def test_noise_comes_before_the_caption_except_in_the_port(dcgan: bool) -> None:
    generator = Generator(replace(TINY, dcgan=dcgan)).eval()
    caption = slice(0, TINY.cond_dim) if dcgan else slice(TINY.z_dim, None)
    with torch.no_grad():
        generator.grow[0][0].weight[caption] = 0  # the caption is not looked at any more
    z = torch.randn(1, TINY.z_dim)
    pictures = [generator(z, torch.randn(1, TINY.text_dim)) for _ in range(2)]
    assert torch.equal(*pictures)


def test_the_discriminator_judges_the_picture_with_its_caption() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(TINY).eval()
    image = torch.rand(1, 3, 16, 16)
    first, second = (discriminator(image, torch.randn(1, TINY.text_dim)) for _ in range(2))
    assert first.logits != second.logits
    assert torch.equal(first.features, second.features)


@pytest.mark.parametrize("upsample", ["nearest", "transposed"])
@pytest.mark.parametrize("side", [16, 32, 64])
def test_networks_fit_every_side_that_is_a_power_of_two(side: int, upsample: Any) -> None:
    cfg = replace(TINY, image_size=side, upsample=upsample)
    picture = Generator(cfg).eval()(torch.randn(2, 3), torch.randn(2, 8))
    assert picture.shape == (2, 3, side, side)
    assert Discriminator(cfg).eval()(picture, torch.randn(2, 8)).logits.shape == (2,)


@pytest.mark.parametrize("upsample", ["nearest", "transposed"])
def test_only_smooth_upsampling_keeps_what_is_even_even(upsample: Any) -> None:
    cfg = replace(TINY, upsample=upsample)
    picture = Generator(cfg).eval().to_rgb(torch.ones(1, TINY.gen_channels, 8, 8))
    assert picture.shape == (1, 3, 16, 16)
    assert (picture[..., 4:-4, 4:-4].std((2, 3)).max() < 1e-6) == (upsample == "nearest")


def test_it_reads_characters_when_asked_to() -> None:
    system = GanIntCls(replace(TINY, reader="char-rnn"), Vocabulary(())).eval()
    sentence = system.encode_text(["a zygomorphic flower", "a bird"]).sentence
    assert sentence.shape == (2, TINY.text_dim)
    assert not torch.equal(sentence[0], sentence[1])


def test_a_size_that_cannot_be_halved_to_four_is_refused() -> None:
    with pytest.raises(ValueError, match="power of two from 16 up, not 48"):
        Config(image_size=48)


def _convolutions(network: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(p.shape) for p in network.parameters() if p.ndim == 4]


def _discriminator_key(key: str) -> str:
    if found := re.fullmatch(r"encoder\.layers\.(\d)\.(\d)\.(.*)", key):
        layer, part = int(found[1]), int(found[2])
        return f"netD_1.{part + (3 * layer - 1 if layer else 0)}.{found[3]}"
    return key.replace("compress.", "projector.projection.").replace("judge.", "netD_2.")
