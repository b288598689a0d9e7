"""models/text/char_cnn_rnn.py"""

from typing import Literal

import pytest
import torch

from models.base import EmptyCaption
from models.text.char_cnn_rnn import LENGTH, CharCnnRnn, FixedGRU, FixedRNN, spell
from models.text.vocabulary import ALPHABET


def test_the_alphabet_is_the_published_one() -> None:
    assert len(ALPHABET) == 70
    assert spell(["a9- ("])[0, :5].tolist() == [0, 35, 59, 69, 63]


def test_a_character_outside_the_alphabet_leaves_its_place_empty() -> None:
    assert spell(["a\u00e9b"])[0, :4].tolist() == [0, -1, 1, -1]


def test_capital_letters_are_read_as_small_ones() -> None:
    assert torch.equal(spell(["A Red Bird"]), spell(["a red bird"]))


def test_characters_after_the_last_place_are_not_read() -> None:
    long = "ab " * 100
    assert spell([long]).shape == (1, LENGTH)
    assert torch.equal(spell([long]), spell([long[:LENGTH]]))


@pytest.mark.parametrize("caption", ["", "  ", "!?", "\u9ce5"])
def test_a_caption_without_a_letter_is_refused(caption: str) -> None:
    with pytest.raises(EmptyCaption, match="at least one word"):
        spell(["a red flower", caption])


@pytest.mark.parametrize(("recurrent", "steps", "width"), [("gru", 18, 512), ("rnn", 8, 256)])
def test_layers_and_steps_are_the_published_ones(
    recurrent: Literal["gru", "rnn"], steps: int, width: int
) -> None:
    encoder = CharCnnRnn(recurrent=recurrent)
    shapes = {tuple(p.shape) for p in encoder.parameters() if p.ndim > 1}
    assert shapes == {
        (384, 70, 4),
        (512, 384, 4),
        (width, 512, 4),
        (width, width),
        (1024, width),
    }
    with torch.inference_mode():
        assert encoder.convolutions(torch.zeros(1, 70, LENGTH)).shape == (1, width, steps)


def test_the_gated_recurrence_starts_without_a_hidden_state() -> None:
    gru = FixedGRU(2)
    x = torch.randn(1, 2)
    torch.testing.assert_close(gru([x]), gru.from_input[2](x).tanh())


def test_the_gated_recurrence_keeps_what_the_update_gate_leaves() -> None:
    gru = FixedGRU(2)
    with torch.no_grad():
        gru.from_input[0].bias.fill_(-100)  # nothing is taken in after the first step
    first = torch.randn(1, 2)
    torch.testing.assert_close(gru([first, torch.randn(1, 2)]), gru([first]))


def test_the_plain_recurrence_averages_its_states() -> None:
    rnn = FixedRNN(1)
    with torch.no_grad():
        for layer in (rnn.from_input[0], rnn.from_hidden[0]):
            layer.weight.fill_(1)
            layer.bias.zero_()
    steps = [torch.tensor([[1.0]]), torch.tensor([[2.0]])]
    assert rnn(steps).item() == pytest.approx((1 + 3) / 2)


def test_a_caption_in_a_batch_reads_as_it_does_alone() -> None:
    torch.manual_seed(0)
    encoder = CharCnnRnn(8, widths=(6, 7, 5)).eval()
    captions = ["a red flower with round petals", "blue"]
    with torch.inference_mode():
        together = encoder.read(captions)
        for i, caption in enumerate(captions):
            alone = encoder.read([caption]).sentence
            torch.testing.assert_close(alone, together.sentence[i : i + 1], atol=1e-5, rtol=0)
    assert together.words.shape == (2, 1, 8)
    assert together.mask.all()
