"""Pictures of one colour each, and the caption that says which."""

import json
from pathlib import Path

from PIL import Image

from models.text.vocabulary import Vocabulary
from training.data import CaptionedPictures, Sampling, read_split

COLOURS = {"red": (220, 20, 20), "blue": (20, 20, 220), "green": (20, 200, 20)}
WORDS = Vocabulary(("a", "red", "blue", "green", "thing"))


def toy_pictures(
    folder: Path, image_size: int, sampling: Sampling | None = None
) -> CaptionedPictures:
    """Write them into `folder`, and read them as a trainer does."""
    split = folder / "toys" / "train"
    split.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, rgb in COLOURS.items():
        if not (path := split / f"{name}.png").exists():
            Image.new("RGB", (24, 24), rgb).save(path)
        row = {"file_name": path.name, "captions": [f"a {name} thing"], "class": name}
        rows.append(row)
    (split / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return CaptionedPictures(
        read_split(folder / "toys", "train"),
        WORDS,
        image_size=image_size,
        max_words=9,
        cache=folder / "cache",
        sampling=sampling,
    )
