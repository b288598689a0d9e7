"""Contact sheets: what a network does, on one page."""

from collections.abc import Callable, Sequence

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from models.base import System
from models.pictures import to_picture
from training.data import CaptionedPictures

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


def caption_sheet(
    kept: CaptionedPictures,
    make: Callable[[Tensor, list[str]], Tensor],
    examples: Sequence[str],
    *,
    columns: int,
    labels: tuple[str, str],
) -> Image.Image:
    """Kept pictures; what is made of them by their own captions; then by each of `examples`.

    `make`: (B, 3, S, S) and B captions -> (B, 3, S, S), all in [-1, 1]. `labels` stand above the
    first two rows.
    """
    chosen = kept.spread(columns)
    source = kept.centres(chosen)
    own = [kept.examples[i].captions[0] for i in chosen]
    rows = [row(source), row(make(source, own))]
    rows += [row(make(source, [text] * len(chosen))) for text in examples]
    return sheet(rows, [*labels, *examples])


@torch.inference_mode()
def edits_sheet(
    net: System, kept: CaptionedPictures, examples: Sequence[str], device: torch.device
) -> Image.Image:
    """What an editor makes of kept pictures."""

    def make(image: Tensor, captions: list[str]) -> Tensor:
        return edited(net, image.to(device), captions)

    return caption_sheet(kept, make, examples, columns=12, labels=("source", "its own caption"))


@torch.inference_mode()
def drawings_sheet(
    net: System,
    kept: CaptionedPictures,
    examples: Sequence[str],
    device: torch.device,
    *,
    seed: int,
) -> Image.Image:
    """What is drawn for kept captions, beside their pictures."""

    def make(_: Tensor, captions: list[str]) -> Tensor:
        return drawn(net, captions, seed=seed, device=device)

    return caption_sheet(kept, make, examples, columns=12, labels=("real", "by its caption"))


def edited(net: System, image: Tensor, captions: Sequence[str]) -> Tensor:
    """(B, 3, S, S) and B captions -> what `net` makes of them, with the noise at its mean."""
    noise = torch.zeros(len(image), net.noise_dim, device=image.device)
    return net.manipulate(net.prepare(image), net.encode_text(captions), noise).image


def drawn(net: System, captions: Sequence[str], *, seed: int, device: torch.device) -> Tensor:
    """One picture a caption; a column has the same noise in every row and sheet."""
    rng = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(captions), net.noise_dim, generator=rng).to(device)
    return net.generate(net.encode_text(captions), noise).image
