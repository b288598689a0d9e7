"""What is sent of a folder, whatever lines call it."""

import json
import os
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from app.batch_photos import NoPictures, pack

LONG = "x" * 300


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with two pictures in it and others beside it, some of them linked to."""
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    for name in ("images/b.jpg", "images/sub/c.jpg", "photo.jpg", "images-2.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    (folder / "link.jpg").symlink_to(tmp_path / "photo.jpg")
    (folder / "up").symlink_to(tmp_path)
    (folder / "same.jpg").symlink_to("b.jpg")
    (folder / "round.jpg").symlink_to("round.jpg")
    os.mkfifo(folder / "pipe.jpg")
    return folder


def csv_of(*names: str) -> bytes:
    return "\n".join(["caption,image", *(f"red,{name}" for name in names)]).encode()


def sent(file: BytesIO) -> dict[str, bytes]:
    """What is in the ZIP, which has a file once."""
    with ZipFile(file) as archive:
        assert len(archive.namelist()) == len(set(archive.namelist()))
        return {name: archive.read(name) for name in archive.namelist()}


def images_of(lines: bytes) -> list[str]:
    return [line.split(",")[1] for line in lines.decode().splitlines()[1:]]


def test_names_are_sent_as_the_server_looks_for_them(images: Path) -> None:
    file = BytesIO()
    names = ("./b.jpg", "sub\\c.jpg", "sub/../b.jpg", str(images / "b.jpg"), " b.jpg", "same.jpg")
    packed = pack(csv_of(*names), images, file)
    assert sent(file) == {"b.jpg": b"images/b.jpg", "sub/c.jpg": b"images/sub/c.jpg"}
    assert images_of(packed.lines) == ["b.jpg", "sub/c.jpg", *["b.jpg"] * 4]
    assert not packed.left_out


def test_what_is_outside_the_folder_is_never_opened(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    read = Path.read_bytes

    def note(path: Path) -> bytes:
        opened.append(path.name)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", note)
    outside = (
        "../photo.jpg",
        "..\\photo.jpg",
        str(tmp_path / "photo.jpg"),
        "/etc/hostname",
        "/b.jpg",
        "link.jpg",
        "up/photo.jpg",
        "../images-2.jpg",
    )
    file = BytesIO()
    packed = pack(csv_of("b.jpg", *outside), images, file)
    assert sent(file).keys() == {"b.jpg"}
    assert opened == ["b.jpg"]
    assert images_of(packed.lines) == ["b.jpg", *[".."] * len(outside)]
    assert packed.left_out == dict.fromkeys(outside, f"it is outside {images}")


def test_what_can_not_be_read_fails_alone(images: Path) -> None:
    bad = (LONG, "sub", "pipe.jpg", "round.jpg", "b.jpg/deeper", "nul\0", "missing.jpg")
    rows = [{"caption": "red", "image": name} for name in (*bad, "\ud800", "b.jpg")]
    file = BytesIO()
    packed = pack("\n".join(map(json.dumps, rows)).encode(), images, file)
    assert sent(file).keys() == {"b.jpg"}
    assert packed.left_out.keys() == {*bad, "\ud800"}
    assert packed.left_out[LONG] == "it cannot be read: File name too long"
    assert packed.left_out["missing.jpg"] == "there is no such file"
    found = [json.loads(line)["image"] for line in packed.lines.splitlines()]
    assert found[-1] == "b.jpg"
    assert found[0] == found[3] == found[5] == found[-2] == ".."


def test_a_picture_may_be_older_than_zip(images: Path) -> None:
    os.utime(images / "b.jpg", (157766400, 157766400))  # 1975
    file = BytesIO()
    pack(csv_of("b.jpg"), images, file)
    assert sent(file).keys() == {"b.jpg"}


def test_lines_with_the_right_names_are_sent_as_they_are(images: Path) -> None:
    for lines in (
        b"\xef\xbb\xbfcaption,image\r\n\r\nred,b.jpg\r\n",
        b'{"caption":"red","image":"b.jpg"}\n\nno JSON\n[1]\n',
        b"caption,image\n\xff,b.jpg\n",
        b'caption,image\n"red"x,b.jpg\n',
        b"",
    ):
        assert pack(lines, images, BytesIO()).lines == lines


def test_only_names_change_in_lines_that_are_written_anew(images: Path) -> None:
    table = 'Id; IMAGE ;caption;image_to\n1;./b.jpg;"a ""red"" one;\nand more";sub\\c.jpg\n2\n'
    packed = pack(table.encode(), images, BytesIO())
    assert packed.lines.decode().splitlines() == [
        "id;image;caption;image_to",
        '1;b.jpg;"a ""red"" one;',
        'and more";sub/c.jpg',
        "2",
    ]
    row = {"caption": "red", "image": "./b.jpg", "image_to": "b.jpg", "seed": 7}
    packed = pack(json.dumps(row).encode() + b"\n[1]\n", images, BytesIO())
    assert packed.lines == json.dumps(row | {"image": "b.jpg"}).encode() + b"\n[1]\n"


def test_lines_of_which_none_names_a_picture_are_refused_with_their_columns(images: Path) -> None:
    for lines, columns in (
        (b"Caption ,file\nred,b.jpg\n", "'caption', 'file'"),
        (b"caption;image;seed\nred; ;7\n", "'caption', 'image', 'seed'"),
        (b'{"caption": "red", "Image": "b.jpg"}\n{"image": ""}', "'caption', 'Image', 'image'"),
    ):
        with pytest.raises(NoPictures, match=f"in the column 'image'; the columns are {columns}"):
            pack(lines, images, BytesIO())


def test_one_line_that_names_a_picture_is_enough(images: Path) -> None:
    for lines in (
        b"caption,image\nred,\nred,b.jpg\n",
        b'{"caption": "red"}\n{"caption": "red", "image_id": "x", "image_to": "b.jpg"}',
    ):
        file = BytesIO()
        assert pack(lines, images, file).lines == lines
        assert sent(file).keys() == {"b.jpg"}


def test_what_is_wrong_with_all_lines_is_left_to_the_server(images: Path) -> None:
    for lines in (b"file,text\nb.jpg,red\n", b"caption,file\n", b"{no JSON\n", b"[]"):
        assert pack(lines, images, BytesIO()).lines == lines
