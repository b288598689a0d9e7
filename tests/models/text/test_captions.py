"""models/text/captions.py"""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.base import EmptyCaption
from models.text.captions import Reading, TrainedReader, reader
from models.text.char_cnn_rnn import CharCnnRnn
from models.text.files import BadReader
from models.text.vocabulary import Vocabulary

WORDS = Vocabulary(("a", "red", "flower", "blue", "bird"))
SMALL = Reading("words", text_dim=8, word_dim=6, max_words=4)


def test_captions_are_read_by_characters_unless_told_otherwise() -> None:
    encoder = reader(Reading(), Vocabulary(()))
    assert isinstance(encoder, CharCnnRnn)
    assert encoder.read(["a bird"]).sentence.shape == (1, 1024)


def test_by_words_a_shorter_caption_is_padded_and_masked() -> None:
    text = reader(SMALL, WORDS).read(["a red flower", "bird"])
    assert text.words.shape == (2, 3, 8)
    assert text.mask.tolist() == [[True, True, True], [True, False, False]]


def test_a_caption_in_a_batch_reads_as_it_does_alone() -> None:
    encoder = reader(SMALL, WORDS).eval()
    together = encoder.read(["a red flower", "bird"]).sentence
    torch.testing.assert_close(encoder.read(["bird"]).sentence, together[1:], atol=1e-6, rtol=0)


def test_words_over_the_limit_are_not_read() -> None:
    assert reader(SMALL, WORDS).read(["a red flower a blue bird"]).words.shape[1] == 4


@pytest.mark.parametrize("caption", ["", "  ", "!?"])
def test_a_caption_without_a_word_is_refused(caption: str) -> None:
    with pytest.raises(EmptyCaption, match="at least one word"):
        reader(SMALL, WORDS).read(["a red flower", caption])


@pytest.mark.parametrize(
    ("cfg", "words"), [(SMALL, WORDS), (Reading("char-rnn", text_dim=8), Vocabulary(()))]
)
def test_a_trained_reader_reads_the_same_from_its_file(
    cfg: Reading, words: Vocabulary, tmp_path: Path
) -> None:
    encoder = reader(cfg, words)
    TrainedReader(cfg, words, encoder).save(tmp_path / "reader.safetensors")
    loaded = TrainedReader.load(tmp_path / "reader.safetensors")
    assert (loaded.cfg, loaded.vocabulary) == (cfg, words)
    captions = ["a red flower", "bird"]
    assert torch.equal(loaded.encoder.read(captions).sentence, encoder.read(captions).sentence)


def test_another_file_is_no_trained_reader(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(BadReader, match="training joint-embedding"):
        TrainedReader.load(tmp_path / "other.safetensors")
    with pytest.raises(BadReader, match="missing"):
        TrainedReader.load(tmp_path / "nothing.safetensors")
