"""The library has the pictures of its folder and nothing else that lies on the disk."""

import json
from pathlib import Path

import pytest

from worker.library import Library, NotInLibrary
from worker.settings import Settings


def test_pictures_are_found_in_folders_too_and_other_files_are_not(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "shoes/red.webp", "notes.txt", ".hidden.jpg", ".git/x.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert list(Library(tmp_path).pictures()) == ["a.png", "b.JPG", "shoes/red.webp"]


def test_a_folder_with_a_listing_has_what_is_listed(tmp_path: Path) -> None:
    for name in ("dahlia.jpg", "dahlia-640.jpg", "rose.jpg"):
        (tmp_path / name).touch()
    samples = [{"url": "/static/samples/dahlia.jpg"}, {"url": "/static/samples/gone.jpg"}]
    listing = {"samples": samples, "library": [{"url": "/static/samples/rose.jpg"}]}
    (tmp_path / "samples.json").write_text(json.dumps(listing))
    assert list(Library(tmp_path).pictures()) == ["dahlia.jpg", "rose.jpg"]


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/passwd", "", "a.png/.."])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.jpg").touch()
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "a.png").touch()
    with pytest.raises(NotInLibrary):
        Library(tmp_path / "library").find(name)


def test_without_a_folder_there_are_no_pictures(tmp_path: Path) -> None:
    assert not Library(None).pictures()
    assert not Library(tmp_path / "nowhere").pictures()


def test_the_default_are_the_samples_and_more_each_there_and_with_its_licence() -> None:
    folder = Settings().library
    listing = json.loads((folder / "samples.json").read_text())
    pictures = Library(folder).pictures()
    assert {"dahlia.jpg", "rose.jpg"} <= pictures.keys()
    assert len(pictures) == len(listing["samples"]) + len(listing["library"])
    for listed in listing["library"]:
        assert all(listed[name] for name in ("title", "author", "licence", "source"))
        assert (folder.parents[1] / listed["licence_text"].removeprefix("/")).is_file()
