"""Contact sheets: what a network does, on one page."""

from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from models.pictures import to_picture

_LABEL_HEIGHT = 14
_GAP = 2


def sheet(
    rows: Sequence[Sequence[Tensor]], labels: Sequence[str] = (), *, side: int = 128
) -> Image.Image:
    """Pictures (3, S, S) in [-1, 1], one list a row, each enlarged to `side` pixels.

    `labels` stand above the rows, one a row.
    """
    head = _LABEL_HEIGHT if labels else 0
    width = max(len(row) for row in rows) * (side + _GAP) - _GAP
    page = Image.new("RGB", (width, len(rows) * (side + _GAP + head) - _GAP), "white")
    pen = ImageDraw.Draw(page)
    for r, row in enumerate(rows):
        top = r * (side + _GAP + head)
        if labels:
            pen.text((2, top), labels[r], fill="black")
        for c, tensor in enumerate(row):
            picture = to_picture(tensor).resize((side, side), Image.Resampling.BICUBIC)
            page.paste(picture, (c * (side + _GAP), top + head))
    return page


def row(images: Tensor) -> list[Tensor]:
    """(B, 3, S, S) -> B pictures on the CPU."""
    return list(torch.unbind(images.detach().float().cpu()))
