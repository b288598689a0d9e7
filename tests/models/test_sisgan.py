"""models/sisgan.py: equal to the authors' code, and what a person may rely on."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models import weights
from models.base import EmptyCaption
from models.checkpoint import Header
from models.fuse import fuse
from models.import_upstream.sisgan import discriminator_key, generator_key
from models.sisgan import TINY, Config, Discriminator, Generator, Sisgan, scaled_for
from models.text.vocabulary import Vocabulary
from tests.models.golden import assert_golden, draw, fill

WORDS = Vocabulary(("a", "red", "flower", "blue", "bird"))
ENCODERS = pytest.mark.parametrize(
    ("encoder", "golden"), [("plain", "sisgan_novgg_G_b2"), ("vgg16", "sisgan_vgg_G_b2")]
)


@ENCODERS
def test_generator_equals_the_authors(encoder: str, golden: str) -> None:
    generator = fill(Generator(replace(Config(), encoder=encoder)), generator_key)
    with torch.inference_mode():
        image, drawn = generator(_golden_image(), _golden_text(), _golden_noise())
    assert_golden(golden, [image, drawn.mu, drawn.logvar / 2])


@ENCODERS
def test_generator_gives_the_authors_picture_one_at_a_time(encoder: str, golden: str) -> None:
    generator = fill(Generator(replace(Config(), encoder=encoder)), generator_key)
    image, text, noise = _golden_image(), _golden_text(), _golden_noise()
    with torch.inference_mode():
        made = [generator(image[i : i + 1], text[i : i + 1], noise[i : i + 1]) for i in range(2)]
    outputs = [
        torch.cat([picture for picture, _ in made]),
        torch.cat([drawn.mu for _, drawn in made]),
        torch.cat([drawn.logvar / 2 for _, drawn in made]),
    ]
    assert_golden(golden, outputs)


def test_discriminator_equals_the_authors() -> None:
    discriminator = fill(Discriminator(Config()), discriminator_key)
    with torch.inference_mode():
        together = discriminator(_golden_image(), _golden_text())
        alone = [
            discriminator(_golden_image()[i : i + 1], _golden_text()[i : i + 1]) for i in range(2)
        ]
    assert_golden("sisgan_D_b2", [together])
    assert_golden("sisgan_D_b2", [torch.cat(alone)])


def test_vgg16_sees_pictures_scaled_as_for_imagenet() -> None:
    grey = torch.zeros(1, 3, 2, 2)
    expected = torch.tensor([(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225])
    torch.testing.assert_close(scaled_for("vgg16", grey)[0, :, 0, 0], expected)
    assert torch.equal(scaled_for("plain", grey), grey)


@pytest.mark.parametrize("encoder", ["plain", "lite0"])
def test_a_picture_in_a_batch_is_the_picture_alone(encoder: str) -> None:
    torch.manual_seed(0)
    system = Sisgan(replace(TINY, image_size=32, encoder=encoder), WORDS).eval()
    captions = ["a red flower", "blue"]
    image, noise = torch.rand(2, 3, 32, 32) * 2 - 1, torch.randn(2, 4)
    with torch.inference_mode():
        together = system.manipulate(system.prepare(image), system.encode_text(captions), noise)
        for i, caption in enumerate(captions):
            prepared = system.prepare(image[i : i + 1])
            alone = system.manipulate(prepared, system.encode_text([caption]), noise[i : i + 1])
            torch.testing.assert_close(alone.image, together.image[i : i + 1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("encoder", ["plain", "lite0"])
def test_a_checkpoint_gives_the_same_picture_fused(encoder: str, tmp_path: Path) -> None:
    cfg = replace(TINY, image_size=32, encoder=encoder)
    header = Header("sisgan", "flowers", 32, asdict(cfg), WORDS.words)
    torch.manual_seed(0)
    system = weights.build(header)
    weights.save(system, header, tmp_path / "a.safetensors", half=False)
    image, noise = torch.rand(1, 3, 32, 32) * 2 - 1, torch.randn(1, 4)
    fused = fuse(weights.load(tmp_path / "a.safetensors"))
    with torch.inference_mode():
        text = system.encode_text(["a red flower"])
        plain = system.manipulate(system.prepare(image), text, noise).image
        again = fused.manipulate(fused.prepare(image), text, noise).image
    assert not any(isinstance(m, torch.nn.BatchNorm2d | torch.nn.Upsample) for m in fused.modules())
    torch.testing.assert_close(again, plain, atol=1e-4, rtol=0)


def test_other_noise_gives_another_picture() -> None:
    system = Sisgan(TINY, WORDS).eval()
    text, prepared = system.encode_text(["a red flower"]), system.prepare(torch.zeros(1, 3, 16, 16))
    with torch.inference_mode():
        first, second = (
            system.manipulate(prepared, text, torch.full((1, 4), value)).image for value in (-1, 1)
        )
    assert not torch.equal(first, second)


def test_a_pretrained_encoder_is_not_trained() -> None:
    for encoder, part in (("vgg16", "encoder."), ("lite0", "encoder.eyes.")):
        cfg = replace(TINY, encoder=encoder, widths=(4, 6, 512))
        for name, parameter in Generator(cfg).named_parameters():
            assert parameter.requires_grad != name.startswith(part), name


@pytest.mark.parametrize("caption", ["", "  ", "!?"])
def test_a_caption_without_a_word_is_refused(caption: str) -> None:
    with pytest.raises(EmptyCaption, match="at least one word"):
        Sisgan(TINY, WORDS).encode_text(["a red flower", caption])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"image_size": 100}, "multiple of 16, not 100"),
        ({"widths": (4, 8)}, "three widths"),
        ({"encoder": "vgg16", "widths": (4, 6, 8)}, "ends with 512 channels"),
    ],
)
def test_sizes_that_do_not_fit_each_other_are_refused(
    change: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(Config(), **change)


def _golden_image() -> Tensor:
    return draw("x64", 2, 3, 64, 64)


def _golden_text() -> Tensor:
    return draw("t300", 2, 300)


def _golden_noise() -> Tensor:
    torch.manual_seed(7)
    return torch.randn(2, 128)
