"""models/stackgan.py: equal to the authors' code, and what a person may rely on."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from models.import_upstream.stackgan import generator_key, stage_key
from models.stackgan import TINY, Config, Discriminator, Generator, Stackgan
from models.text.vocabulary import Vocabulary
from tests.models.golden import assert_golden, draw, fill

WORDS = Vocabulary(("a", "red", "flower", "blue", "bird"))


def test_stage_one_equals_the_authors_batched_and_single() -> None:
    cfg = replace(Config(), stages=1, image_size=64)
    generator = fill(Generator(cfg), lambda key: stage_key(key.removeprefix("stage_one.")))
    sentence, noise = draw("t1024", 2, 1024), _golden_noise(2, draws=1)
    with torch.inference_mode():
        (picture,), drawn = generator(sentence, noise)
        singles = [generator(sentence[i : i + 1], noise[i : i + 1])[0][0] for i in range(2)]
    assert_golden("stack1_coco_G1_b2", [picture, drawn.mu, drawn.logvar])
    assert_golden("stack1_coco_G1_b2", [torch.cat(singles), drawn.mu, drawn.logvar])


def test_both_stages_equal_the_authors_alone_and_within_a_batch() -> None:
    generator = fill(Generator(Config()), generator_key)
    sentence, noise = draw("t1024", 1, 1024), _golden_noise(1, draws=2)
    with torch.inference_mode():
        pictures, drawn = generator(sentence, noise)
        batch = torch.cat([torch.randn(1, 1024), sentence])
        within, _ = generator(batch, torch.cat([torch.randn_like(noise), noise]))
    assert_golden("stack1_coco_G2_b1", [*pictures, drawn.mu, drawn.logvar])
    assert_golden("stack1_coco_G2_b1", [*(p[1:] for p in within), drawn.mu, drawn.logvar])


@pytest.mark.parametrize(
    ("stage", "widths"),
    [(1, [96, 192, 384, 768]), (2, [96, 192, 384, 768, 1536, 3072, 1536, 768])],
)
def test_discriminators_widen_and_narrow_as_the_authors_do(stage: int, widths: list[int]) -> None:
    with torch.device("meta"):
        discriminator = Discriminator(Config(), stage)
    assert [layer[0].out_channels for layer in discriminator.encoder] == widths
    assert discriminator.join[0].weight.shape == (768, 896, 3, 3)
    assert (discriminator.unconditional is not None) == (stage == 2)


@pytest.mark.parametrize("stage", [1, 2])
def test_a_discriminator_takes_the_pictures_of_its_stage(stage: int) -> None:
    discriminator = Discriminator(TINY, stage).eval()
    side = {1: 8, 2: 32}[stage]
    logits = discriminator(torch.rand(2, 3, side, side), torch.randn(2, 4))
    assert logits.conditional.shape == (2,)


def test_the_second_stage_reads_the_caption_itself() -> None:
    generator = _alive(Generator(TINY))
    sketch, eps = torch.rand(1, 3, 8, 8) * 2 - 1, torch.zeros(1, 4)
    red, _ = generator.stage_two(sketch, torch.full((1, 8), 1.0), eps)
    blue, _ = generator.stage_two(sketch, torch.full((1, 8), -1.0), eps)
    assert not torch.equal(red, blue)


def test_a_checkpoint_of_stage_one_makes_its_sketch_the_picture() -> None:
    system = Stackgan(replace(TINY, stages=1, image_size=8), WORDS).eval()
    assert system.noise_dim == TINY.z_dim + TINY.cond_dim
    output = system.generate(system.encode_text(["a bird"]), torch.randn(1, system.noise_dim))
    assert output.image.shape == (1, 3, 8, 8)
    assert output.stages == ()


def test_the_sketch_is_shown_as_a_stage() -> None:
    system = Stackgan(TINY, WORDS).eval()
    output = system.generate(system.encode_text(["a bird"]), torch.randn(1, system.noise_dim))
    assert [stage.shape for stage in output.stages] == [(1, 3, 8, 8)]


def test_all_that_is_drawn_is_in_the_noise() -> None:
    system = _alive(Stackgan(TINY, WORDS))
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
    system = Stackgan(replace(TINY, reader="char-gru"), Vocabulary(())).eval()
    sentence = system.encode_text(["a zygomorphic flower", "a bird"]).sentence
    assert sentence.shape == (2, TINY.text_dim)
    assert not torch.equal(sentence[0], sentence[1])


def test_a_size_that_the_stages_cannot_double_to_is_refused() -> None:
    with pytest.raises(ValueError, match="power of two from 32 up, not 16"):
        Config(image_size=16)
    with pytest.raises(ValueError, match="multiple of 4, not 6"):
        Config(gen_channels=6)


def _alive(network: nn.Module) -> nn.Module:
    """Statistics as after training, so that no channel of the small network is dead."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.bias, 0.5, 1)
    return network.eval()


def _golden_noise(batch: int, draws: int) -> Tensor:
    """The authors' z, and behind it what their networks draw, stage by stage."""
    torch.manual_seed(7)
    eps = [torch.randn(batch, 128) for _ in range(draws)]
    return torch.cat([draw("z", batch, 100), *eps], dim=1)
