"""How far an edit glows around its object, at photo size: python -m bench.glow

The objects of some samples are cut out, laid on plain grounds and edited to each colour. Printed is
the mean change, of 1, of the object and of the ground by its distance from it.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from PIL import Image, ImageOps
from rich.console import Console
from rich.table import Table
from torch.nn.functional import max_pool2d

from worker import fullres
from worker.loading import load_for_serving
from worker.messages import Crop
from worker.objects import ObjectFinder

_ROOT = Path(__file__).parents[1]
SAMPLES = ("dahlia", "marigold", "orange-petals", "anemone", "daffodil", "yellow-petals")
GROUNDS = {
    "white": (250, 250, 250),
    "green": (90, 140, 70),
    "sky": (150, 190, 230),
    "black": (15,) * 3,
}
COLOURS = ("red", "blue", "yellow", "purple")
EDGES = (4, 12, 24, 48, 96)  # of the bands, in pixels from the object; nearer is its own soft edge
_SIDE = 768
_WHOLE = Crop(0, 0, _SIDE, _SIDE)
_CPU = torch.device("cpu")


def laid() -> Iterator[tuple[str, Image.Image, NDArray[np.bool_]]]:
    """Each object on each ground, with the ground's name and where the object is."""
    finder = ObjectFinder(_CPU)
    for name in SAMPLES:
        with Image.open(_ROOT / "static" / "samples" / f"{name}.jpg") as sample:
            photo = ImageOps.fit(sample.convert("RGB"), (_SIDE, _SIDE))
        mask = finder.find(photo, _WHOLE).mask.point(lambda level: (level - 100) * 255 // 55)
        for ground, colour in GROUNDS.items():
            plain = Image.new("RGB", photo.size, colour)
            yield ground, Image.composite(photo, plain, mask), np.asarray(mask) > 127


def bands(inside: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The object, then the ground between each two EDGES, by squares around the object's pixels."""
    grown = [_grown(inside, pixels) for pixels in EDGES]
    return [inside, *(wide & ~narrow for narrow, wide in pairwise(grown))]


def _grown(inside: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    one = torch.from_numpy(inside).float()[None, None]
    down = max_pool2d(one, (2 * pixels + 1, 1), 1, (pixels, 0))
    grown: NDArray[np.bool_] = max_pool2d(down, (1, 2 * pixels + 1), 1, (0, pixels))[0, 0].numpy()
    return grown > 0


@torch.inference_mode()
def main(
    model: Annotated[str, typer.Option(help="A TAGAN or SISGAN of flowers.")] = "tagan-flowers-64",
) -> None:
    """Lay, edit, measure."""
    system = load_for_serving(_ROOT / "checkpoints" / f"{model}.safetensors", _CPU)
    noise = torch.zeros(len(COLOURS), system.noise_dim)
    text = system.encode_text([f"this flower has {colour} petals" for colour in COLOURS])
    found: dict[str, list[list[float]]] = {ground: [] for ground in GROUNDS}
    for ground, photo, inside in laid():
        source = fullres.look(photo, _WHOLE, system.cfg.image_size)
        prepared = system.prepare(source.expand(len(COLOURS), -1, -1, -1))
        places = bands(inside)
        for answer in system.manipulate(prepared, text, noise).image:
            edited = np.asarray(fullres.carry(photo, _WHOLE, source, answer), np.float32)
            change = np.abs(edited - np.asarray(photo)).mean(axis=-1) / 255
            found[ground].append([change[place].mean().item() for place in places])
    near = [f"{low} to {high} px" for low, high in pairwise(EDGES)]
    table = Table("ground", "object", *near)
    for ground, rows in found.items():
        table.add_row(ground, *(f"{share:.4f}" for share in np.mean(rows, axis=0)))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
