"""`python -m models.import_upstream`: files by kind, and refusals that a person can act on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.import_upstream.__main__ import BadDomain, import_weights, sort
from models.import_upstream.published import SYSTEMS
from models.import_upstream.reader import UnreadableFile
from models.registry import UnknownSystem
from tests.models.import_upstream.files_of_2018 import save_vocabulary

ROOT = Path(__file__).resolve().parents[3]


def test_it_ends_with_its_input_where_it_is_told_to(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    """The file of weights is a pipe into which nobody writes, so it would be read for ever."""
    weights = tmp_path / "netG.pth"
    os.mkfifo(weights)
    options = ["--system", "tagan", "--domain", "birds", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "models.import_upstream", *options, "--end-with-input"]
    process = subprocess.Popen([*command, "--", str(weights)], cwd=ROOT, stdin=subprocess.PIPE)
    processes.append(process)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(3)
    assert process.stdin
    process.stdin.close()
    assert process.wait(60) == os.EX_NOINPUT


def test_files_are_sorted_by_their_suffix(tmp_path: Path) -> None:
    save_vocabulary(("<end>", "bird"), tmp_path / "captions.pickle")
    (tmp_path / "wiki.vec").write_text("bird 1 2\n")
    handed = sort([tmp_path / "captions.pickle", tmp_path / "wiki.vec"])
    assert handed.vocabulary == ("<end>", "bird")
    assert handed.vectors == tmp_path / "wiki.vec"
    assert not handed.weights


def test_a_file_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"notes\.md: wanted a file of kind \.pth"):
        sort([tmp_path / "notes.md"])


def test_two_files_of_vectors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="wanted one file of vectors"):
        sort([tmp_path / "a.vec", tmp_path / "b.vec"])


def test_a_system_without_published_weights_is_refused_with_those_that_have(
    tmp_path: Path,
) -> None:
    with pytest.raises(UnknownSystem, match=f"'diffusion' are read; of: {', '.join(SYSTEMS)}"):
        import_weights([], "diffusion", "birds", tmp_path)


@pytest.mark.parametrize("domain", ["", "../birds", "My Birds", "birds-"])
def test_a_domain_that_can_be_no_file_name_is_refused(tmp_path: Path, domain: str) -> None:
    with pytest.raises(BadDomain, match="small letters"):
        import_weights([], "tagan", domain, tmp_path)
