"""models/inversion.py: the encoder is the authors', and codes are found picture by picture."""

import re
from dataclasses import asdict, replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from models import attngan, gan_int_cls, registry, stackgan_v2
from models.base import Invertible
from models.inversion import TAPS, TINY, Config, Encoder, Inversion, NotInvertible
from models.lite import load_lite
from models.text.vocabulary import Vocabulary
from tests.models.by_name import biased, conv, dense, leaky, norm
from tests.models.golden import draw, fill

WORDS = Vocabulary(("a", "red", "flower", "blue", "bird"))
GENERATORS = {"stackgan_v2": stackgan_v2, "attngan": attngan, "gan_int_cls": gan_int_cls}


@pytest.fixture
def system() -> Inversion:
    torch.manual_seed(0)
    made = Inversion(replace(TINY, steps=12), WORDS)
    made.eyes.load_state_dict(load_lite("lite0", taps=TAPS).state_dict())
    return made.eval()


def test_the_encoder_is_as_wide_as_the_published_one() -> None:
    assert Config().widths == (64, 128, 256, 512, 1024, 1024, 1024)


def test_the_encoder_computes_what_the_authors_does() -> None:
    widths, length = (6, 12, 16, 16), 5
    encoder = fill(Encoder(widths, length), lambda key: encoder_key(key, len(widths)))
    x = draw("x32", 2, 3, 32, 32)
    with torch.inference_mode():
        expected = _authors_encoder(x, widths, length)
        _, together = encoder(x)
        alone = torch.cat([encoder(x[i : i + 1])[1] for i in range(2)])
    torch.testing.assert_close(together, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(alone, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", GENERATORS)
def test_no_shift_and_a_shift_of_nothing_draw_the_same(name: str) -> None:
    torch.manual_seed(0)
    module: Any = GENERATORS[name]
    generator = module.SYSTEM(module.TINY, WORDS).eval()
    assert isinstance(generator, Invertible)
    text, noise = generator.encode_text(["a bird"]), torch.randn(1, generator.noise_dim)
    nothing = torch.zeros(1, *generator.root_shape)
    with torch.inference_mode():
        plain = generator.generate(text, noise).image
        assert torch.equal(generator.grow(text, noise, nothing).image, plain)
        assert not torch.equal(generator.grow(text, noise, nothing + 1).image, plain)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_photo_goes_through_any_generator_that_draws_from_a_code(name: str) -> None:
    cfg = replace(TINY, generator=name, generator_config=asdict(GENERATORS[name].TINY))
    system = Inversion(cfg, WORDS).eval()
    with torch.inference_mode():
        prepared = system.prepare(torch.rand(1, 3, 16, 16))
        output = system.manipulate(prepared, system.encode_text(["a bird"]), torch.zeros(1, 0))
    assert output.image.shape == (1, 3, 16, 16)


def test_optimisation_brings_the_drawn_picture_nearer_to_the_photo(system: Inversion) -> None:
    image = torch.rand(2, 3, 16, 16) * 2 - 1
    seen = system.look(image)
    by_encoder, by_both = system.encode(image), system.invert(image)
    first, last = (
        system.distance(image, seen, system.draw(code)) for code in (by_encoder, by_both)
    )
    assert (last < first).all()


def test_optimisation_leaves_the_sentence_to_the_caption(system: Inversion) -> None:
    image = torch.rand(1, 3, 16, 16)
    guess, found = system.encode(image), system.invert(image)
    assert torch.equal(found.sentence, guess.sentence)
    assert not torch.equal(found.noise, guess.noise)
    assert not torch.equal(found.shift, guess.shift)


def test_the_more_the_domain_counts_the_better_the_encoder_finds_the_code_again() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    lost = []
    for weighs in (0.0, 100.0):
        torch.manual_seed(1)
        system = Inversion(replace(TINY, steps=30, lambda_domain=weighs), WORDS).eval()
        code = system.invert(image)
        again = system.encode(system.draw(code))
        lost.append(F.mse_loss(again.shift, code.shift).item())
    assert lost[1] < lost[0]


def test_one_photo_has_no_say_in_the_code_of_another(system: Inversion) -> None:
    one, other, third = (torch.rand(3, 1, 3, 16, 16) * 2 - 1).unbind()
    beside_other = system.prepare(torch.cat([one, other])).features
    beside_third = system.prepare(torch.cat([one, third])).features
    for found, again in zip(beside_other, beside_third, strict=True):
        torch.testing.assert_close(found[:1], again[:1], atol=1e-6, rtol=0)
        assert not torch.equal(found[1:], again[1:])


def test_the_photo_as_it_was_found_again_is_the_stage_before_the_edit(system: Inversion) -> None:
    image = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        prepared = system.prepare(image)
        output = system.manipulate(prepared, system.encode_text(["a bird"]), torch.zeros(1, 0))
    [stage] = output.stages
    assert torch.equal(stage, prepared.features[-1])
    assert not torch.equal(stage, output.image)


def test_a_generator_that_does_not_draw_from_a_code_is_refused() -> None:
    module: Any = registry.find("tagan").module()
    with pytest.raises(NotInvertible, match="tagan"):
        Inversion(Config(generator="tagan", generator_config=asdict(module.TINY)), WORDS)


def encoder_key(key: str, blocks: int) -> str:
    """Ours -> the authors', whose dense block has the number `blocks`."""
    if found := re.fullmatch(r"down\.(\d)\.1\.(shortcut|block)\.(\d)\.(.*)", key):
        block, place = f"block{int(found[1]) + 1}", int(found[3])
        number = "" if found[2] == "shortcut" else str(place // 3 + 1)
        if place % 3:
            return f"{block}.bn{number}.bn.{found[4]}"
        return f"{block}.{'wscale' if found[4] == 'bias' else 'conv'}{number}.{found[4]}"
    key = key.replace("first.0.", "block0.conv.").replace("first.1.", "block0.bn.bn.")
    return key.replace("last.0", f"block{blocks}.fc").replace("last.1", f"block{blocks}.bn.bn")


def _authors_encoder(x: Tensor, widths: tuple[int, ...], length: int) -> Tensor:
    """Their computation, written out from the names of their tensors."""
    h = leaky(norm(conv(x, "block0.conv", widths[0], 3, padding=1), "block0.bn.bn"))
    for n, c in enumerate(widths[1:], start=1):
        h, block = F.avg_pool2d(h, 2), f"block{n}"
        y, inner = h, min(h.shape[1], c)
        if h.shape[1] != c:
            y = leaky(norm(conv(h, f"{block}.conv", c, 1), f"{block}.bn.bn"))
        for part, to in ((1, inner), (2, c)):
            h = biased(conv(h, f"{block}.conv{part}", to, 3, padding=1), f"{block}.wscale{part}")
            h = leaky(norm(h, f"{block}.bn{part}.bn"))
        h = h + y
    h, last = h.flatten(1), f"block{len(widths)}"
    return norm(dense(h, f"{last}.fc", length) * h.shape[1] ** -0.5, f"{last}.bn.bn")
