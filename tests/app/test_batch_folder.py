"""What a folder of results keeps of an earlier batch."""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from app.batch_folder import Awaited, BatchFolder
from wordbrush import BadAnswer

AWAITED = Awaited("http://127.0.0.1:8000", "3f0c", "fingerprint")


def results(pictures: Mapping[str, bytes], **others: bytes) -> BytesIO:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name, data in {**pictures, **others}.items():
            archive.writestr(name, data)
        lines = [json.dumps({"files": [name]}) + "\n" for name in pictures]
        archive.writestr("manifest.jsonl", "".join(lines))
    return file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_pictures_of_an_earlier_batch_go_and_files_of_others_stay(tmp_path: Path) -> None:
    folder = BatchFolder(tmp_path)
    folder.fill(results({f"0000{n}-0.png": b"first" for n in range(3)}))
    for name in ("00007-0.png", "mine.png"):  # no manifest names them
        (tmp_path / name).write_bytes(b"mine")
    folder.fill(results({"00001-0.png": b"second"}))
    assert names(tmp_path) == ["00001-0.png", "00007-0.png", "manifest.jsonl", "mine.png"]
    assert (tmp_path / "00001-0.png").read_bytes() == b"second"


def test_a_manifest_can_not_have_other_files_removed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "00000-0.png").write_bytes(b"mine")
    (out / "mine.png").write_bytes(b"mine")
    lines = ['{"files": ["../00000-0.png", "mine.png", 7]}', "[]", "?", '{"files": null}']
    (out / "manifest.jsonl").write_text("\n".join(lines))
    BatchFolder(out).fill(results({}))
    assert (tmp_path / "00000-0.png").exists()
    assert names(out) == ["manifest.jsonl", "mine.png"]


def test_only_pictures_and_the_manifest_are_taken_from_a_server(tmp_path: Path) -> None:
    BatchFolder(tmp_path / "out").prepare()
    bad = {"../up.png": b"", "run.sh": b"", ".wordbrush-batch.json": b"{}"}
    BatchFolder(tmp_path / "out").fill(results({}, **bad))
    assert names(tmp_path / "out") == ["manifest.jsonl"]
    assert names(tmp_path) == ["out"]


def test_a_batch_is_awaited_until_its_results_are_here(tmp_path: Path) -> None:
    folder = BatchFolder(tmp_path)
    assert folder.awaited() is None
    folder.wait_for(AWAITED)
    assert folder.awaited() == AWAITED
    folder.fill(results({}))
    assert folder.awaited() is None


def test_a_note_that_is_none_is_as_if_there_were_none(tmp_path: Path) -> None:
    for text in ("", '{"server": "http', "{}", "[]", "7"):
        (tmp_path / ".wordbrush-batch.json").write_text(text)
        assert BatchFolder(tmp_path).awaited() is None


def test_a_folder_that_can_not_be_written_to_is_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="Not a directory"):
        BatchFolder(tmp_path / "file" / "out").prepare()


def test_results_that_are_not_whole_leave_what_was_there(tmp_path: Path) -> None:
    folder = BatchFolder(tmp_path)
    folder.fill(results({"00000-0.png": b"first"}))
    folder.wait_for(AWAITED)
    without = BytesIO()
    ZipFile(without, "w").close()
    for file in (BytesIO(b"<html>"), without):
        with pytest.raises(BadAnswer, match="not whole"):
            folder.fill(file)
    assert names(tmp_path) == [".wordbrush-batch.json", "00000-0.png", "manifest.jsonl"]
