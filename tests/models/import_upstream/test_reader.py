"""models/import_upstream/reader.py: files of 2018 are read, and nothing in them is run."""

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from models.import_upstream.reader import (
    UnreadableFile,
    read_vectors,
    read_vocabulary,
    read_weights,
)
from tests.models.import_upstream.files_of_2018 import (
    save_vectors,
    save_vocabulary,
    save_weights,
)

STATE = {"fc.weight": torch.arange(6.0).view(2, 3), "fc.bias": torch.ones(2)}


class _Harmful:
    """Would leave a file behind if its pickle were run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_weights_of_python_2_are_read(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "netG.pth"
    save_weights(STATE, path, prefix)
    assert b"U" + bytes([len(prefix + "fc.bias")]) + prefix.encode() in path.read_bytes()
    _assert_equal(read_weights(path), STATE)


@pytest.mark.parametrize("is_zip", [True, False])
def test_weights_of_today_are_read(tmp_path: Path, is_zip: bool) -> None:
    path = tmp_path / "netG.pth"
    torch.save(OrderedDict(STATE), path, _use_new_zipfile_serialization=is_zip)
    _assert_equal(read_weights(path), STATE)


@pytest.mark.parametrize("name", ["netG", "state_dict"])
def test_weights_are_taken_out_of_their_wrapper(tmp_path: Path, name: str) -> None:
    path = tmp_path / "checkpoint.pth"
    torch.save({name: STATE, "epoch": 600, "optimG": {"lr": 1e-4}}, path)
    _assert_equal(read_weights(path), STATE)


def test_a_prefix_that_not_all_entries_have_stays(tmp_path: Path) -> None:
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "a.pth")
    assert set(read_weights(tmp_path / "a.pth")) == {"module.a", "b"}


def test_code_in_a_weight_file_is_refused_and_not_run(tmp_path: Path) -> None:
    for is_zip in (True, False):
        content = {"fc.bias": _Harmful(tmp_path / "harm")}
        torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=is_zip)
        with pytest.raises(UnreadableFile, match=r"a\.pth can't be read as weights"):
            read_weights(tmp_path / "a.pth")
    assert not (tmp_path / "harm").exists()


def test_a_whole_pickled_network_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "a.pth")
    with pytest.raises(UnreadableFile, match="can't be read as weights"):
        read_weights(tmp_path / "a.pth")


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_torch_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"a\.pth can't be read as weights"):
        read_weights(tmp_path / "a.pth")


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    save_weights(STATE, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UnreadableFile, match=r"a\.pth can't be read as weights"):
        read_weights(path)


@pytest.mark.parametrize("content", [[torch.ones(1)], {}, {"a": 1}, {"netG": 3}])
def test_a_torch_file_without_a_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(UnreadableFile, match="holds no weights"):
        read_weights(tmp_path / "a.pth")


def test_words_come_in_the_order_of_their_index(tmp_path: Path) -> None:
    save_vocabulary(("<end>", "bird", "caf\xe9"), tmp_path / "captions.pickle")
    assert read_vocabulary(tmp_path / "captions.pickle") == ("<end>", "bird", "caf\xe9")


def test_code_in_a_vocabulary_is_refused_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "captions.pickle"
    path.write_bytes(pickle.dumps([[], [], {0: _Harmful(tmp_path / "harm")}, {}]))
    with pytest.raises(UnreadableFile, match=r"asks for posix\.mkdir"):
        read_vocabulary(path)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([[], [], {0: 1.5}, {}], "holds a float"),
        ([[], [], {0: ("a",)}, {}], "holds a tuple"),
        ([[], [], {0: {"a"}}, {}], "holds a set"),
        ([[], []], "laid out otherwise"),
        ({}, "laid out otherwise"),
        ([[], [], {0: "a", 2: "b"}, {}], "skips indices"),
        ([[], [], {"0": "a"}, {}], "skips indices"),
        ([[], [], {0: 7}, {}], "word that is no text"),
    ],
)
def test_a_vocabulary_laid_out_otherwise_is_refused(
    tmp_path: Path, content: object, reason: str
) -> None:
    (tmp_path / "captions.pickle").write_bytes(pickle.dumps(content))
    with pytest.raises(UnreadableFile, match=reason):
        read_vocabulary(tmp_path / "captions.pickle")


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x02]q"])
def test_a_vocabulary_that_is_no_pickle_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "captions.pickle").write_bytes(content)
    with pytest.raises(UnreadableFile, match="can't be read as a vocabulary"):
        read_vocabulary(tmp_path / "captions.pickle")


def test_vectors_get_a_row_for_padding_and_one_for_the_unknown(tmp_path: Path) -> None:
    vectors = {"red": torch.tensor([1.0, 2.0]), ",": torch.zeros(2), "blue": torch.tensor([3.0, 0])}
    save_vectors(vectors, tmp_path / "wiki.vec")
    words, table = read_vectors(tmp_path / "wiki.vec", width=2)
    assert words == ("red", "blue")
    assert table.tolist() == [[0, 0], [2, 1], [1, 2], [3, 0]]


def test_vectors_without_a_first_line_of_sizes_are_read(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text("red 1 2\nblue 3 0\n")
    assert read_vectors(tmp_path / "glove.txt", width=2).words == ("red", "blue")


def test_only_the_most_frequent_words_are_taken(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text("red 1 2\nblue 3 0\ngreen 1 1\n")
    assert read_vectors(tmp_path / "glove.txt", width=2, most=2).words == ("red", "blue")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"red 1 2 3\n", "line 1: 3 numbers, wanted 2"),
        (b"red 1 two\n", "can't be read as word vectors"),
        (b"\xff\xfe\x00", "can't be read as word vectors"),
        (b"0 2\n", "no word vector"),
    ],
)
def test_what_is_no_table_of_vectors_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "wiki.vec").write_bytes(content)
    with pytest.raises(UnreadableFile, match=reason):
        read_vectors(tmp_path / "wiki.vec", width=2)


def _assert_equal(read: object, expected: dict[str, torch.Tensor]) -> None:
    assert isinstance(read, dict)
    assert list(read) == list(expected)
    assert all(torch.equal(read[key], expected[key]) for key in expected)
