"""models/text/bilstm.py: equal to the authors' code, and blind to padding."""

import pytest
import torch

from models.import_upstream.attngan import text_key
from models.text.bilstm import BiLSTM
from models.text.vocabulary import PAD
from tests.models.golden import assert_golden, fill

GOLDEN_CAPTIONS = torch.tensor(
    [
        [5, 9, 17, 233, 41, 88, 12, 7, 301, 4, 2, 1999],
        [3, 1, 4, 1, 5, 9, 2, 6, 0, 0, 0, 0],
        [10, 20, 30, 40, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
)


def test_words_and_sentences_equal_the_authors() -> None:
    encoder = fill(BiLSTM(5450, 300, 256), text_key)
    with torch.inference_mode():
        text = encoder(GOLDEN_CAPTIONS)
    assert_golden("attn_textenc_b3_len12_8_4", [text.words.transpose(1, 2), text.sentence])


def test_padding_says_nothing() -> None:
    encoder = BiLSTM(9, 4, 6).eval()
    with torch.inference_mode():
        padded = encoder(torch.tensor([[2, 3, 4, 5], [6, 7, PAD, PAD]]))
        alone = encoder(torch.tensor([[6, 7]]))
    assert padded.mask.tolist() == [[True] * 4, [True, True, False, False]]
    torch.testing.assert_close(padded.words[1:, :2], alone.words, atol=1e-6, rtol=0)
    torch.testing.assert_close(padded.sentence[1:], alone.sentence, atol=1e-6, rtol=0)
    assert padded.words[1, 2:].abs().max() == 0


def test_the_same_draw_leaves_out_the_same_entries() -> None:
    encoder, index = BiLSTM(9, 4, 6), torch.tensor([[2, 3, 4]])
    rngs = [torch.Generator().manual_seed(seed) for seed in (1, 1, 2)]
    first, again, other = (encoder(index, dropout=0.5, rng=rng).sentence for rng in rngs)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_width_that_two_directions_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="even, not 7"):
        BiLSTM(9, 4, 7)
