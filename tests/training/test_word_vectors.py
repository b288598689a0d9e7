"""training/word_vectors.py"""

from pathlib import Path

import pytest
import torch
from torch import nn

from models.text.vocabulary import FIRST_WORD, PAD, UNKNOWN, Vocabulary
from training.word_vectors import BadVectors, read_word_vectors, vector_width

WORDS = Vocabulary(("red", "flower", "t-shirt"))
GLOVE = "the 9 9\nflower 1 2\nred 3 4\nflower 5 6\nred flower 7 7\n"


@pytest.mark.parametrize("header", ["", "5 2\n"], ids=["GloVe", "fastText"])
def test_known_words_begin_where_the_file_has_them_and_the_rest_as_drawn(
    tmp_path: Path, header: str
) -> None:
    path = _file(tmp_path, header + GLOVE)
    assert vector_width(path) == 2
    embedding = nn.Embedding(len(WORDS), 2, padding_idx=PAD)
    drawn = embedding.weight.detach().clone()
    read_word_vectors(path, WORDS).fill(embedding)
    table = embedding.weight.detach()
    assert table[FIRST_WORD : FIRST_WORD + 2].tolist() == [[3, 4], [1, 2]]
    assert table[UNKNOWN].tolist() == [2, 3]
    assert torch.equal(table[[PAD, FIRST_WORD + 2]], drawn[[PAD, FIRST_WORD + 2]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no word vectors"),
        ("# vectors of words\n", "holds no word vectors"),
        ("the 1 2\nred 3\n", "line 2: 1 numbers, wanted 2"),
        ("the 1 2\nred x 3\n", "line 2: could not convert"),
        ("the 1 2\nred nan 3\n", "not finite"),
        ("the 1 2\nblue 3 4\n", "none of the 3 words"),
    ],
)
def test_what_is_no_file_of_vectors_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadVectors, match=message):
        read_word_vectors(_file(tmp_path, text), WORDS)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(BadVectors, match="is no text"):
        vector_width(tmp_path / "model.bin")


def _file(folder: Path, text: str) -> Path:
    path = folder / "vectors.txt"
    path.write_text(text)
    return path
