"""models/attngan.py: equal to the authors' code where that is right, and right where it is not."""

import copy
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.attngan import TINY, Attngan, Config, Discriminator, Drawing, Generator
from models.base import EmptyCaption, TextFeatures
from models.fuse import fuse
from models.import_upstream.attngan import generator_key, text_key
from models.text.bilstm import BiLSTM
from models.text.vocabulary import Vocabulary
from tests.models.golden import assert_golden, draw, fill
from tests.models.text.test_bilstm import GOLDEN_CAPTIONS

WORDS = Vocabulary(("a", "red", "flower", "blue", "bird"))


@pytest.fixture(scope="module")
def text() -> TextFeatures:
    """The golden captions of 12, 8 and 4 words, read by the golden encoder."""
    encoder = fill(BiLSTM(5450, 300, 256), text_key)
    with torch.inference_mode():
        return encoder(GOLDEN_CAPTIONS)


@pytest.fixture(scope="module")
def generator() -> Generator:
    network = fill(Generator(Config()), generator_key)
    assert isinstance(network, Generator)
    return network


def test_generator_equals_the_authors(generator: Generator, text: TextFeatures) -> None:
    drawing = _golden_drawing(generator, text, slice(0, 1))
    assert_golden("attn_G_b1_len12", _outputs(drawing))


def test_generator_equals_the_authors_on_a_padded_caption(
    generator: Generator, text: TextFeatures
) -> None:
    drawing = _golden_drawing(generator, text, slice(1, 2))
    assert_golden("attn_G_b1_len8_padded_to_12", _outputs(drawing))


def test_captions_of_different_length_in_one_batch_give_what_each_gives_alone(
    generator: Generator, text: TextFeatures
) -> None:
    """The authors' code does not: there a caption is masked by another caption's padding."""
    outputs = _outputs(_golden_drawing(generator, text, slice(0, 2)))
    assert_golden("attn_G_b1_len12", [output[:1] for output in outputs])
    assert_golden("attn_G_b1_len8_padded_to_12", [output[1:] for output in outputs])


@pytest.mark.parametrize(
    ("training", "golden"),
    [(False, "attn_G_b3_mixed_lens_upstream_mask_order"), (True, "attn_G_b3_trainmodeBN")],
)
def test_but_for_the_order_of_masks_a_batch_equals_the_authors(
    generator: Generator, text: TextFeatures, training: bool, golden: str
) -> None:
    masked = AuthorsOrder(text.words, text.sentence, text.mask)
    network = copy.deepcopy(generator).train(training)  # statistics move in training
    torch.manual_seed(7)
    with torch.inference_mode():
        drawing = network(masked, draw("z", 3, 100), torch.randn(3, 100))
    assert_golden(golden, _outputs(drawing))


@pytest.mark.parametrize(("side", "batch"), [(64, 2), (256, 1)])
def test_discriminator_equals_the_authors(side: int, batch: int) -> None:
    discriminator = fill(Discriminator(Config(), side), discriminator_key(side))
    with torch.inference_mode():
        features = discriminator.look(draw(f"x{side}", batch, 3, side, side))
        matching = discriminator.match(features, draw("c", batch, 256))
        real = discriminator.real(features)
    assert_golden(f"attn_D{side}", [matching.sigmoid(), real.sigmoid()])  # theirs has it inside


def test_a_picture_in_a_batch_is_the_picture_alone() -> None:
    system = _tiny()
    captions, noise = ["a red flower", "blue"], torch.randn(2, system.noise_dim)
    with torch.inference_mode():
        together = system.generate(system.encode_text(captions), noise)
        for i, caption in enumerate(captions):
            alone = system.generate(system.encode_text([caption]), noise[i : i + 1])
            (mine,), (all_,) = alone.attention, together.attention
            for a, b in (
                (alone.image, together.image),
                (alone.stages[0], together.stages[0]),
                (mine, all_[:, : mine.shape[1]]),
            ):
                torch.testing.assert_close(a, b[i : i + 1], atol=1e-5, rtol=0)


def test_every_place_looks_at_the_captions_own_words_only() -> None:
    system = _tiny()
    with torch.inference_mode():
        text = system.encode_text(["a red flower", "blue"])
        drawing = system.draw(text, torch.randn(2, system.noise_dim))
    (attention,) = drawing.attentions
    assert attention.shape == (2, 3, 8, 8)
    assert attention.min() >= 0
    torch.testing.assert_close(attention.sum(1), torch.ones(2, 8, 8))
    assert attention[1, 1:].max() == 0


def test_all_stages_are_returned_the_last_as_the_picture() -> None:
    system = _tiny(stages=3, image_size=32)
    with torch.inference_mode():
        output = system.generate(system.encode_text(["a bird"]), torch.randn(1, system.noise_dim))
    assert [stage.shape[-1] for stage in (*output.stages, output.image)] == [8, 16, 32]
    assert [a.shape for a in output.attention] == [(1, 2, 8, 8), (1, 2, 16, 16)]


def test_another_word_changes_the_picture_and_so_does_other_noise() -> None:
    system = _tiny()
    noise = torch.randn(2, system.noise_dim)
    with torch.inference_mode():
        red, blue = (system.encode_text([f"a {colour} bird"]) for colour in ("red", "blue"))
        first, second = system.generate(red, noise[:1]), system.generate(blue, noise[:1])
        again = system.generate(red, noise[1:])
    assert not torch.allclose(first.image, second.image, atol=1e-4)
    assert not torch.allclose(first.image, again.image, atol=1e-4)


@pytest.mark.parametrize("upsample", ["nearest", "subpixel"])
def test_the_serving_graph_draws_the_same_pictures(upsample: str) -> None:
    system = _tiny(upsample=upsample)
    noise = torch.randn(2, system.noise_dim)
    with torch.inference_mode():
        text = system.encode_text(["a red flower", "blue"])
        plain = system.generate(text, noise).image
        fused = fuse(system).generate(text, noise).image
    torch.testing.assert_close(fused, plain, atol=1e-4, rtol=0)


def test_a_generator_that_paints_only_its_last_stage_has_the_ablations_weights() -> None:
    cfg = Config(blocks=0, paints_every_stage=False)
    keys = {generator_key(key) for key in Generator(cfg).state_dict()}
    assert "h_net3.upsample.1.weight" in keys
    assert not any("residual" in key for key in keys)
    assert sum(key.startswith("img_net") for key in keys) == 1


@pytest.mark.parametrize("caption", ["", "  ", "!?"])
def test_a_caption_without_a_word_is_refused(caption: str) -> None:
    with pytest.raises(EmptyCaption, match="at least one word"):
        _tiny().encode_text(["a red flower", caption])


@pytest.mark.parametrize(("size", "stages"), [(96, 1), (16, 3), (4, 1)])
def test_a_size_that_the_stages_cannot_reach_is_refused(size: int, stages: int) -> None:
    with pytest.raises(ValueError, match=f"power of two from .*, not {size}"):
        Config(image_size=size, stages=stages)


def discriminator_key(side: int) -> Callable[[str], str]:
    """Ours -> the authors', for the picture side in pixels."""
    deeper = {64: [], 128: ["32", "32_1"], 256: ["32", "64", "64_1", "64_2"]}[side]

    def rename(key: str) -> str:
        if found := re.fullmatch(r"encoder\.(\d)\.(\d)\.(.*)", key):
            layer, part = int(found[1]), int(found[2])
            if layer > 3:
                return f"img_code_s{deeper[layer - 4]}.{part}.{found[3]}"
            return f"img_code_s16.{part + (3 * layer - 1 if layer else 0)}.{found[3]}"
        for ours, theirs in (
            ("joint.", "COND_DNET.jointConv."),
            ("matches.", "COND_DNET.outlogits.0."),
            ("realness.", "UNCOND_DNET.outlogits.0."),
        ):
            key = key.replace(ours, theirs)
        return key

    return rename


class AuthorsOrder(TextFeatures):
    """Their slip: place n of all places of a batch takes the mask of caption n modulo B."""

    def weigh(self, energy: Tensor) -> Tensor:
        count, words, h, w = energy.shape
        places = torch.arange(count * h * w) % count
        mask = self.mask[places].view(count, h, w, words).permute(0, 3, 1, 2)
        return energy.masked_fill(~mask, -torch.inf).softmax(1)


def _golden_drawing(generator: Generator, text: TextFeatures, rows: slice) -> Drawing:
    """Those captions in one batch, each with the conditioning noise it has alone."""
    z = draw("z", 3, 100)[rows]
    torch.manual_seed(7)
    noise = torch.randn(1, 100).expand(len(z), -1)
    of_rows = TextFeatures(text.words[rows], text.sentence[rows], text.mask[rows])
    with torch.inference_mode():
        return generator(of_rows, z, noise)


def _outputs(drawing: Drawing) -> list[Tensor]:
    """In the authors' order."""
    conditioning = drawing.conditioning
    return [*drawing.images, *drawing.attentions, conditioning.mu, conditioning.logvar]


def _tiny(**changes: object) -> Attngan:
    """Random weights, always the same."""
    torch.manual_seed(0)
    return Attngan(replace(TINY, **changes), WORDS).eval()
