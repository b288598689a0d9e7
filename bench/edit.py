"""How long one edit takes over HTTP, at two photo sizes, on a service that runs already.

    python bench/edit.py --url http://127.0.0.1:8000 --model tagan-flowers-64 --times 20

Each row is so many POST /manipulate with `Prefer: wait`, one after another, after a warm-up. A
"new photo" differs from all before, so that no cache helps; "same photo" is another caption on an
upload that the service has. The clock runs from the first byte sent until the job is answered;
"fetched" has the finished picture's way to the client in it as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Annotated, Any

import httpx
import typer
from PIL import Image, ImageOps
from rich.console import Console
from rich.table import Table

PHOTO = Path(__file__).resolve().parent.parent / "static" / "samples" / "yellow-petals.jpg"
SIZES = {"1024 px": (1024, 768), "12 megapixels": (4000, 3000)}
BARS_S = {"1024 px": 0.150, "12 megapixels": 1.5}  # medians to stay under, for a new photo
COLOURS = ("yellow", "red", "white", "purple", "pink", "orange")
_WARM_UP = 3


@dataclass(frozen=True)
class Timing:
    """One edit, in seconds."""

    answered_s: float
    fetched_s: float
    metrics: Mapping[str, float]  # as the service reports them


def new_photos(size: tuple[int, int]) -> Iterator[bytes]:
    """JPEGs of this size in pixels that differ in a corner."""
    with Image.open(PHOTO) as source:
        photo = ImageOps.fit(source.convert("RGB"), size, Image.Resampling.LANCZOS)
    for number in range(256):
        photo.paste((number, number, number), (0, 0, 16, 16))
        file = BytesIO()
        photo.save(file, "JPEG", quality=92)
        yield file.getvalue()


def time_edit(client: httpx.Client, fields: Mapping[str, Any], photo: bytes | None) -> Timing:
    """One edit of a new photo, or of the upload that `fields` name."""
    files = {"image": ("photo.jpg", photo, "image/jpeg")} if photo else None
    started = perf_counter()
    answer = client.post("/manipulate", data=fields, files=files, headers={"Prefer": "wait=60"})
    answered = perf_counter()
    job = answer.raise_for_status().json()
    if job["status"] != "succeeded":
        raise typer.BadParameter(f"the service ended the job as {job['status']}: {job['error']}")
    client.get(job["outputs"][0]["image"]).raise_for_status()
    return Timing(answered - started, perf_counter() - started, job["metrics"])


def time_new_photos(
    client: httpx.Client, model: str, size: tuple[int, int], times: int
) -> list[Timing]:
    captions = cycle(f"this flower has {colour} petals" for colour in COLOURS)
    jobs = zip(range(times + _WARM_UP), new_photos(size), captions, strict=False)
    timings = [
        time_edit(client, {"model": model, "caption": caption, "seed": 0}, photo)
        for _, photo, caption in jobs
    ]
    return timings[_WARM_UP:]


def time_same_photo(
    client: httpx.Client, model: str, size: tuple[int, int], times: int
) -> list[Timing]:
    upload = client.post("/images", files={"image": next(new_photos(size))}).raise_for_status()
    fields = {"model": model, "image_id": upload.json()["image_id"]}
    captions = cycle(f"this flower has {colour} petals" for colour in COLOURS)
    timings = [
        time_edit(client, fields | {"caption": caption, "seed": seed}, None)
        for seed, caption in zip(range(times + _WARM_UP), captions, strict=False)
    ]
    return timings[_WARM_UP:]


def time_forward(checkpoint: Path, times: int) -> float:
    """Seconds that the network alone takes for one picture: the median of bare forward passes."""
    import torch

    from worker.loading import load_for_serving

    system = load_for_serving(checkpoint, torch.device("cpu"))
    image = torch.zeros(1, 3, system.cfg.image_size, system.cfg.image_size)
    noise = torch.zeros(1, system.noise_dim)
    seconds = []
    with torch.inference_mode():
        for _ in range(times + _WARM_UP):
            started = perf_counter()
            text = system.encode_text(["this flower has yellow petals"])
            system.manipulate(system.prepare(image), text, noise)
            seconds.append(perf_counter() - started)
    return median(seconds[_WARM_UP:])


def row(name: str, timings: Sequence[Timing], bar_s: float | None) -> list[str]:
    """Figures in milliseconds, and whether the bar is kept."""
    answered = [timing.answered_s for timing in timings]
    figures = [
        median(answered),
        quantiles(answered, n=20)[-1],
        median(timing.fetched_s for timing in timings),
        median(timing.metrics["queue_s"] for timing in timings),
        median(timing.metrics["predict_s"] for timing in timings),
    ]
    verdict = "" if bar_s is None else f"{'kept' if figures[0] < bar_s else 'MISSED'} (< {bar_s} s)"
    return [name, *(f"{1000 * seconds:.0f}" for seconds in figures), verdict]


def main(
    url: Annotated[str, typer.Option(help="Where the service is.")] = "http://127.0.0.1:8000",
    model: Annotated[str, typer.Option(help="An id of GET /models.")] = "tagan-flowers-64",
    times: Annotated[int, typer.Option(min=2, max=200, help="Edits in each row.")] = 20,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Also time the bare network in this file.")
    ] = None,
) -> None:
    """Print the latency of edits, at the median and the 95th percentile, in milliseconds."""
    columns = ("edit", "median", "p95", "fetched", "queue", "worker", "bar")
    table = Table(*columns, title=f"{model}, {times} edits each, ms")
    with httpx.Client(base_url=url, timeout=90) as client:
        for name, size in SIZES.items():
            new = time_new_photos(client, model, size, times)
            same = time_same_photo(client, model, size, times)
            table.add_row(*row(f"{name}, new photo", new, BARS_S[name]))
            table.add_row(*row(f"{name}, same photo", same, None))
    console = Console()
    console.print(table)
    if checkpoint:
        forward_s = time_forward(checkpoint, times)
        console.print(f"the bare network: {1000 * forward_s:.1f} ms a picture")


if __name__ == "__main__":
    typer.run(main)
