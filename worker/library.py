"""The library: a folder of pictures that anybody who uses this service may search. Free of torch.

By default the sample photographs and some more. Nothing that people upload is ever in it.
"""

import json
from pathlib import Path

LISTING = "samples.json"  # in a folder that says itself which of its files are its pictures

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


class NotInLibrary(LookupError):
    """The library has no picture of this name."""


class Library:
    """The pictures of one folder by their names, which are paths in it with forward slashes.

    Looked at anew each time, so that a picture that is put there is found at once.
    """

    def __init__(self, folder: Path | None) -> None:
        """Without a folder there are none."""
        self.folder = folder

    def pictures(self) -> dict[str, Path]:
        """All of them, in the order of names; hidden files are left out."""
        if self.folder is None or not self.folder.is_dir():
            return {}
        return {name: self.folder / name for name in sorted(self._names(self.folder))}

    def find(self, name: str) -> Path:
        """The file of one picture.

        Raises:
            NotInLibrary: there is none of this name.
        """
        try:
            return self.pictures()[name]
        except KeyError:
            raise NotInLibrary("the library has no such picture") from None

    def _names(self, folder: Path) -> set[str]:
        if (listing := folder / LISTING).is_file():
            listed = json.loads(listing.read_text(encoding="utf-8"))
            pictures = [*listed["samples"], *listed.get("library", ())]
            names = {Path(picture["url"]).name for picture in pictures}
            return {name for name in names if (folder / name).is_file()}
        found = (path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
        names = {path.relative_to(folder).as_posix() for path in found if path.is_file()}
        return {name for name in names if not name.startswith(".") and "/." not in name}
