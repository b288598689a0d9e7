"""Painted flowers and shirts in both splits, with captions: a data set for what measures."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

SHADES = {"red": (200, 30, 40), "blue": (40, 60, 200)}


def write_squares(folder: Path, caption: str, *, train: int = 48, test: int = 12) -> Path:
    """Squares on white, red and blue in turn; `caption` has {colour}. Returns the folder."""
    draw = np.random.default_rng(0)
    for split, count in (("train", train), ("test", test)):
        (folder / split).mkdir(parents=True)
        lines = []
        for i in range(count):
            colour = tuple(SHADES)[i % len(SHADES)]
            pixels = np.full((80, 80, 3), 250, np.uint8)
            left, top = draw.integers(8, 24, 2)
            pixels[top : top + 48, left : left + 48] = SHADES[colour] + draw.integers(-25, 25, 3)
            Image.fromarray(pixels).save(folder / split / f"{i}.png")
            text = caption.format(colour=colour)
            lines.append(json.dumps({"file_name": f"{i}.png", "captions": [text, f"{text} too"]}))
        (folder / split / "metadata.jsonl").write_text("\n".join(lines))
    return folder
