"""Pictures of two shapes in three colours, with attributes and the captions that say so."""

import json
from pathlib import Path

from PIL import Image, ImageDraw

from training.data import read_split
from training.seen import SeenPictures

COLOURS = {"red": (220, 20, 20), "blue": (20, 20, 220), "green": (20, 200, 20)}
SHAPES = ("disc", "bar")


def write_shapes(folder: Path, *, attributes: bool = True) -> Path:
    """Write them as a data set; returns its folder. Without attributes, shapes are classes."""
    for split in ("train", "test"):
        place = folder / "shapes" / split
        place.mkdir(parents=True)
        rows = []
        for colour, rgb in COLOURS.items():
            for shape in SHAPES:
                for number in range(2):
                    name = f"{colour}-{shape}-{number}.png"
                    _draw(shape, rgb, 10 + 3 * number).save(place / name)
                    row = {"file_name": name, "captions": [f"a {colour} {shape}"]}
                    said = {"color": [colour], "category": [shape]}
                    rows.append(row | ({"attributes": said} if attributes else {"class": shape}))
        (place / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder / "shapes"


def shapes(data: Path, image_size: int, split: str = "train") -> SeenPictures:
    """As a trainer sees them."""
    return SeenPictures(read_split(data, split), image_size=image_size, cache=data.parent / "cache")


def _draw(shape: str, rgb: tuple[int, int, int], margin: int) -> Image.Image:
    picture = Image.new("RGB", (64, 64), "white")
    pen = ImageDraw.Draw(picture)
    if shape == "disc":
        pen.ellipse((margin, margin, 63 - margin, 63 - margin), fill=rgb)
    else:
        pen.rectangle((margin, 26, 63 - margin, 38), fill=rgb)
    return picture
