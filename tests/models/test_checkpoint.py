"""models/checkpoint.py and models/weights.py"""

import json
import struct
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from models.checkpoint import BadCheckpoint, Header, read_header, scan
from models.tagan import TINY, Tagan
from models.weights import load, save

HEADER = Header(
    system="tagan",
    domain="toys",
    image_size=16,
    config=asdict(TINY),
    words=("a", "red", "ball"),
    steps=7,
    metrics={"colour": 0.5},
    examples=("a red ball",),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "tagan-toys-16.safetensors"
    save(_system(), HEADER, file)
    return file


def test_header_comes_back_as_it_was_saved(path: Path) -> None:
    assert replace(read_header(path), config={}) == replace(HEADER, config={})


def test_loaded_system_gives_the_saved_systems_picture(path: Path) -> None:
    system = _system().half().float()  # as stored
    image, noise = torch.rand(1, 3, 16, 16), torch.zeros(1, TINY.cond_dim)
    with torch.inference_mode():
        pictures = [
            s.manipulate(s.prepare(image), s.encode_text(["a red ball"]), noise).image
            for s in (system, load(path))
        ]
    torch.testing.assert_close(*pictures)


def test_scan_lists_checkpoints_by_id(path: Path) -> None:
    assert {name: c.path for name, c in scan([path.parent]).items()} == {"tagan-toys-16": path}


def test_reading_headers_does_not_import_torch() -> None:
    code = "import models.checkpoint, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_file_cut_short_is_refused_before_anybody_loads_it(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BadCheckpoint, match="bytes of"):
        read_header(path)


def test_a_file_over_which_another_is_copied_counts_as_it_was(path: Path) -> None:
    before = scan([path.parent])
    path.write_bytes(path.read_bytes()[:-9])
    assert scan([path.parent]) == {}
    assert scan([path.parent], before.values()) == before
    path.unlink()
    assert scan([path.parent], before.values()) == {}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"later": 1}, "later"),  # as a newer version may write it
        ({"system": "dalle"}, "no system 'dalle'"),
        ({"image_size": "big"}, "image_size"),
        ({"words": [1]}, "words"),
        ({"domain": None}, "domain"),
    ],
)
def test_fields_of_another_version_cost_no_other_checkpoint(
    path: Path, changes: dict[str, object], wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    fields = json.loads(HEADER.to_metadata()["wordbrush"]) | changes
    raw = json.dumps({"__metadata__": {"wordbrush": json.dumps(fields)}}).encode()
    (path.parent / "other.safetensors").write_bytes(struct.pack("<Q", len(raw)) + raw)
    assert list(scan([path.parent])) == ["tagan-toys-16"]
    assert wrong in caplog.text


@pytest.mark.parametrize("text", ["{", "[]", "3", '"wordbrush-1"'])
def test_fields_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        Header.from_metadata({"wordbrush": text}, "x")


@pytest.mark.parametrize("content", [b"", b"short", b"\x00" * 64, b"\xff" * 64])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(content)
    with pytest.raises(BadCheckpoint, match="not a safetensors file"):
        read_header(file)


def test_another_vocabulary_than_the_saved_one_is_refused(path: Path) -> None:
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    raw = json.loads(data[8 : 8 + size])
    raw["__metadata__"]["wordbrush"] = raw["__metadata__"]["wordbrush"].replace("ball", "doll")
    changed = json.dumps(raw).encode().ljust(size)
    path.write_bytes(struct.pack("<Q", len(changed)) + changed + data[8 + size :])
    with pytest.raises(BadCheckpoint, match="vocabulary"):
        read_header(path)


def test_weights_of_another_size_are_refused_with_their_names(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    save(_system(), replace(HEADER, config=asdict(replace(TINY, widths=(4, 6, 10)))), file)
    with pytest.raises(BadCheckpoint, match=r"generator\.\S+: has \(.*\), wanted \("):
        load(file)


def _system() -> Tagan:
    torch.manual_seed(0)
    system = Tagan(TINY, HEADER.vocabulary)
    return system.eval()
