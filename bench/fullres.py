"""How long a change takes to reach a photograph's own pixels: python -m bench.fullres

Each row is one size of photo with its centred square changed: opening the JPEG, what the network
sees, the carry (worker/fullres.py), the same recipe by upsampling all of it at once, and the
JPEG that goes out. Best of several runs, one thread.
"""

import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor

from worker import crops, pictures
from worker.fullres import carry, look, recipe

SAMPLE = Path(__file__).parents[1] / "static" / "samples" / "marigold.jpg"
SIZES = ((1024, 768), (2048, 1536), (4000, 3000))  # the last is 12 megapixels
SIDES = (64, 128, 256)
RUNS = 5


def main() -> None:
    torch.set_num_threads(1)
    table = Table(
        "photo", "S", "decode ms", "look ms", "carry ms", "at once ms", "ratio", "encode ms"
    )
    with Image.open(SAMPLE) as sample:
        for size in SIZES:
            photo = sample.convert("RGB").resize(size, Image.Resampling.BICUBIC)
            for side in SIDES:
                table.add_row(f"{size[0]} x {size[1]}", str(side), *_row(photo, side))
    Console().print(table)


def _row(photo: Image.Image, side: int) -> list[str]:
    crop = crops.centred_square(*photo.size)
    data = _jpeg(photo)
    source = look(photo, crop, side)
    answer = source.flip(0)  # red and blue exchanged
    square = photo.crop((crop.left, crop.top, crop.left + crop.width, crop.top + crop.height))
    carried = _best(lambda: carry(photo, crop, source, answer))
    at_once = _best(lambda: _at_once(square, source, answer))
    decoded = _best(lambda: pictures.decode(data))
    seen = _best(lambda: look(photo, crop, side))
    encoded = _best(lambda: pictures.encode(photo, None, "jpeg", {}))
    ratio = f"{at_once / carried:.1f}"
    return [*(f"{x:.0f}" for x in (decoded, seen, carried, at_once)), ratio, f"{encoded:.0f}"]


@torch.inference_mode()
def _at_once(square: Image.Image, source: Tensor, answer: Tensor) -> Tensor:
    """The plain way: all sixteen coefficients at full size in memory."""
    pixels = look(square, crops.centred_square(*square.size), square.width)
    small = recipe(source, answer)[None]
    wide = F.interpolate(small, size=square.size[::-1], mode="bilinear", align_corners=False)[0]
    matrix = wide[:9].view(3, 3, *pixels.shape[1:])
    change = (matrix * pixels[:, None]).sum(0) + wide[9:12]
    gate = ((wide[12:15] * pixels).sum(0) + wide[15]).sub_(0.2).div_(0.4).clamp_(0, 1)
    changed = pixels + gate * change
    return changed.add_(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def _jpeg(photo: Image.Image) -> bytes:
    file = BytesIO()
    photo.save(file, "JPEG", quality=90)
    return file.getvalue()


def _best(work: Callable[[], object]) -> float:
    """Milliseconds of the fastest of several runs."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


if __name__ == "__main__":
    main()
