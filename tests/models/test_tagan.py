"""models/tagan.py: equal to the authors' code, and what a person may rely on."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.base import EmptyCaption, Prepared, TextFeatures
from models.import_upstream.tagan import discriminator_key, generator_key
from models.tagan import TINY, Config, Discriminator, Generator, Tagan
from models.text.vocabulary import Vocabulary
from tests.models.golden import assert_golden, draw, fill

WORDS = Vocabulary(("a", "red", "flower", "blue", "bird"))


def test_generator_equals_the_authors() -> None:
    generator = fill(Generator(Config()), generator_key)
    vectors, mask = _golden_words()
    torch.manual_seed(7)
    noise = torch.randn(2, 128)
    with torch.inference_mode():
        image, drawn = generator(_golden_image(), vectors, mask, noise)
    assert_golden("tagan_G_b2_len9_5", [image, drawn.mu, drawn.logvar / 2])


def test_generator_gives_the_authors_picture_one_at_a_time() -> None:
    generator = fill(Generator(Config()), generator_key)
    vectors, mask = _golden_words()
    torch.manual_seed(7)
    noise = torch.randn(2, 128)
    with torch.inference_mode():
        first, _ = generator(_golden_image()[:1], vectors[:1], mask[:1], noise[:1])
        second, _ = generator(_golden_image()[1:], vectors[1:, :5], mask[1:, :5], noise[1:])
        drawn = generator.augment(generator.text(vectors, mask).sentence, noise)
    assert_golden("tagan_G_b2_len9_5", [torch.cat([first, second]), drawn.mu, drawn.logvar / 2])


def test_discriminator_equals_the_authors() -> None:
    discriminator = fill(Discriminator(Config()), discriminator_key)
    vectors, mask = _golden_words()
    with torch.inference_mode():
        logits, image_vectors = discriminator.look(_golden_image())
        text = discriminator.text(vectors, mask)
        rolled = TextFeatures(text.words.roll(1, 0), text.sentence.roll(1, 0), mask.roll(1, 0))
        matching = discriminator.match(image_vectors, text)
        mismatching = discriminator.match(image_vectors, rolled)
    assert_golden("tagan_D_b2", [logits, matching.log_match.exp(), mismatching.log_match.exp()])


def test_padding_gets_no_attention_and_the_attention_sums_to_one() -> None:
    discriminator = Discriminator(TINY).eval()
    mask = torch.tensor([[True, True, True], [True, False, False]])
    text = discriminator.text(torch.randn(2, 3, TINY.word_dim), mask)
    _, vectors = discriminator.look(torch.randn(2, 3, 16, 16))
    attention = discriminator.match(vectors, text).attention
    assert attention[1].tolist() == [1, 0, 0]
    torch.testing.assert_close(attention.sum(1), torch.ones(2))


def test_huge_word_vectors_give_a_finite_score() -> None:
    discriminator = Discriminator(TINY).eval()
    words = torch.full((1, 3, TINY.text_dim), 1e3)
    text = TextFeatures(words, words.mean(1), torch.ones(1, 3, dtype=torch.bool))
    _, vectors = discriminator.look(torch.randn(1, 3, 16, 16))
    assert discriminator.match(vectors, text).log_match.isfinite().all()


def test_without_word_level_the_discriminator_reads_the_sentence_alone() -> None:
    torch.manual_seed(0)
    words, mask = torch.randn(1, 3, TINY.text_dim), torch.ones(1, 3, dtype=torch.bool)
    others = words.flip(1)  # of the same mean
    for word_level in (True, False):
        discriminator = Discriminator(replace(TINY, word_level=word_level)).eval()
        _, vectors = discriminator.look(torch.randn(1, 3, 16, 16))
        sentence = torch.randn(1, TINY.text_dim)
        first, second = (
            discriminator.match(vectors, TextFeatures(w, sentence, mask))
            for w in (words, others * 2)
        )
        assert torch.equal(first.log_match, second.log_match) != word_level


def test_each_word_is_scored_as_the_discriminator_scores_it() -> None:
    discriminator = Discriminator(TINY).eval()
    system = Tagan(TINY, WORDS).eval()
    assert system.judge is not None
    system.judge.take(discriminator)
    prepared = system.prepare(torch.rand(2, 3, 16, 16) * 2 - 1)
    with torch.inference_mode():
        text = system.encode_text(["a red flower", "blue"])
        output = system.manipulate(prepared, text, torch.zeros(2, 4))
        assert text.judged is not None
        expected = discriminator.match(discriminator.look(output.image)[1], text.judged).scores
    assert output.scores is not None
    torch.testing.assert_close(output.scores, expected)
    assert output.scores.shape == (2, 3)
    assert 0 <= output.scores.min() <= output.scores.max() <= 1


def test_without_the_discriminators_weights_there_are_no_scores() -> None:
    system = Tagan(replace(TINY, scores=False), WORDS).eval()
    assert not [key for key in system.state_dict() if "judge" in key]
    with torch.inference_mode():
        prepared = system.prepare(torch.zeros(1, 3, 16, 16))
        text = system.encode_text(["red"])
        assert system.manipulate(prepared, text, torch.zeros(1, 4)).scores is None


def test_a_blending_generator_can_only_keep_or_replace_each_pixel() -> None:
    generator = Generator(replace(TINY, blend=True)).eval()
    with torch.no_grad():
        generator.to_rgb.bias[3] = -50  # nowhere
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    mask = torch.ones(1, 2, dtype=torch.bool)
    edited, _ = generator(image, torch.randn(1, 2, TINY.word_dim), mask, torch.zeros(1, 4))
    torch.testing.assert_close(edited, image)


def test_a_picture_in_a_batch_is_the_picture_alone() -> None:
    torch.manual_seed(0)
    system = Tagan(TINY, WORDS).eval()
    captions = ["a red flower", "blue"]
    image, noise = torch.rand(2, 3, 16, 16) * 2 - 1, torch.randn(2, 4)
    with torch.inference_mode():
        together = system.manipulate(system.prepare(image), system.encode_text(captions), noise)
        for i, caption in enumerate(captions):
            prepared = system.prepare(image[i : i + 1])
            alone = system.manipulate(prepared, system.encode_text([caption]), noise[i : i + 1])
            torch.testing.assert_close(alone.image, together.image[i : i + 1], atol=1e-5, rtol=0)


def test_prepared_pictures_stack_to_the_batch_they_would_have_been() -> None:
    system = Tagan(TINY, WORDS).eval()
    image = torch.rand(2, 3, 16, 16)
    with torch.inference_mode():
        stacked = Prepared.stack([system.prepare(image[:1]), system.prepare(image[1:])])
        whole = system.prepare(image)
    for a, b in zip(stacked.features, whole.features, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


@pytest.mark.parametrize("caption", ["", "  ", "!?"])
def test_a_caption_without_a_word_is_refused(caption: str) -> None:
    with pytest.raises(EmptyCaption, match="at least one word"):
        Tagan(TINY, WORDS).encode_text(["a red flower", caption])


def test_a_size_that_the_networks_cannot_halve_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 32, not 100"):
        Config(image_size=100)


def _golden_image() -> Tensor:
    return 0.5 * draw("x128", 2, 3, 128, 128)


def _golden_words() -> tuple[Tensor, Tensor]:
    """Word vectors (2, 9, 300) of captions of nine and five words, and their mask."""
    vectors = draw("txt", 9, 2, 300)
    vectors[5:, 1] = 0
    return vectors.transpose(0, 1), torch.arange(9) < torch.tensor([[9], [5]])
