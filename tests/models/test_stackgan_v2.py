"""models/stackgan_v2.py: equal to the authors' code, ablations, what a person may rely on."""

import re
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.import_upstream.stackgan_v2 import generator_key
from models.stackgan_v2 import TINY, Config, Discriminator, Generator, StackganV2
from models.text.vocabulary import Vocabulary
from tests.models.golden import assert_golden, draw, fill

WORDS = Vocabulary(("a", "red", "flower", "blue", "bird"))


@pytest.fixture(scope="module")
def generator() -> Generator:
    return fill(Generator(Config()), generator_key)


def test_generator_equals_the_authors(generator: Generator) -> None:
    with torch.inference_mode():
        pictures, drawn = generator(draw("t1024", 2, 1024), _golden_noise())
    assert_golden("stack2_birds_G_b2", [*pictures, drawn.mu, drawn.logvar])


def test_generator_gives_the_authors_pictures_one_at_a_time(generator: Generator) -> None:
    sentence, noise = draw("t1024", 2, 1024), _golden_noise()
    with torch.inference_mode():
        singles = [generator(sentence[i : i + 1], noise[i : i + 1]) for i in range(2)]
    pictures = [torch.cat(pair) for pair in zip(*(p for p, _ in singles), strict=True)]
    mu, logvar = (torch.cat([getattr(d, n) for _, d in singles]) for n in ("mu", "logvar"))
    assert_golden("stack2_birds_G_b2", [*pictures, mu, logvar])


def test_discriminator_equals_the_authors_batched_and_single() -> None:
    discriminator = fill(Discriminator(Config(), 64), _discriminator_key)
    image, cond = draw("x64", 2, 3, 64, 64), draw("c128", 2, 128)
    with torch.inference_mode():
        together = discriminator(image, cond)
        alone = [discriminator(image[i : i + 1], cond[i : i + 1]) for i in range(2)]
    assert_golden("stack2_birds_D64", [logits.sigmoid() for logits in together])
    assert_golden(
        "stack2_birds_D64", [torch.cat(pair).sigmoid() for pair in zip(*alone, strict=True)]
    )


@pytest.mark.parametrize(
    ("side", "widths"),
    [
        (128, [64, 128, 256, 512, 1024, 512]),
        (256, [64, 128, 256, 512, 1024, 2048, 1024, 512]),
    ],
)
def test_discriminators_of_larger_pictures_widen_and_narrow_as_the_authors_do(
    side: int, widths: list[int]
) -> None:
    with torch.device("meta"):
        layers = Discriminator(Config(), side).encoder
    assert [layer[0].out_channels for layer in layers] == widths


def test_without_jcu_nothing_is_judged_without_its_caption() -> None:
    discriminator = Discriminator(replace(TINY, jcu=False), 8).eval()
    logits = discriminator(torch.rand(2, 3, 8, 8), torch.randn(2, 4))
    assert logits.conditional.shape == (2,)
    assert logits.unconditional is None


def test_one_branch_draws_only_the_last_picture_through_all_of_the_tree() -> None:
    system = StackganV2(replace(TINY, one_branch=True), WORDS).eval()
    output = system.generate(system.encode_text(["a bird"]), torch.randn(1, system.noise_dim))
    assert output.image.shape == (1, 3, 16, 16)
    assert output.stages == ()
    assert len(system.generator.next) == TINY.branches - 1


def test_each_branch_draws_a_picture_of_twice_the_side() -> None:
    system = StackganV2(replace(TINY, image_size=32, branches=3), WORDS).eval()
    output = system.generate(system.encode_text(["a bird"]), torch.randn(1, system.noise_dim))
    assert [stage.shape[-1] for stage in (*output.stages, output.image)] == [8, 16, 32]


def test_all_that_is_drawn_is_in_the_noise() -> None:
    system = StackganV2(TINY, WORDS).eval()
    text = system.encode_text(["a red bird"])
    noise = torch.randn(1, system.noise_dim)
    first = system.generate(text, noise).image
    torch.manual_seed(99)
    assert torch.equal(system.generate(text, noise).image, first)
    for column in range(system.noise_dim):
        other = noise.clone()
        other[0, column] += 3
        assert not torch.equal(system.generate(text, other).image, first), column


def test_it_reads_characters_when_asked_to() -> None:
    system = StackganV2(replace(TINY, reader="char-rnn"), Vocabulary(())).eval()
    text = system.encode_text(["a zygomorphic flower", "a bird"])
    assert text.sentence.shape == (2, TINY.text_dim)
    assert not torch.equal(text.sentence[0], text.sentence[1])


def test_a_size_that_the_tree_cannot_double_to_is_refused() -> None:
    with pytest.raises(ValueError, match="power of two from 32 up, not 100"):
        Config(image_size=100)
    with pytest.raises(ValueError, match="multiple of 8, not 12"):
        Config(gen_channels=12)


def _golden_noise() -> Tensor:
    torch.manual_seed(7)
    return torch.cat([draw("z", 2, 100), torch.randn(2, 128)], dim=1)


def _discriminator_key(key: str) -> str:
    if found := re.fullmatch(r"encoder\.(\d)\.(\d)\.(.*)", key):
        layer, part = int(found[1]), int(found[2])
        return f"img_code_s16.{part + (3 * layer - 1 if layer else 0)}.{found[3]}"
    key = key.replace("unconditional.", "uncond_logits.0.").replace("conditional.", "logits.0.")
    return key.replace("join.", "jointConv.")
