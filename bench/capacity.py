"""How many edits a service does in a second, and how long they take, with so many people at once.

    python -m bench.capacity --url http://127.0.0.1:8000 --people 1 --people 8 --seconds 30

Each person has a photo of 1024 pixels, asks for an edit of it, waits, fetches the picture and asks
again with other words. A row runs for --seconds; what was answered in its first two is left out.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from statistics import mean, median, quantiles
from time import perf_counter
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from bench.edit import COLOURS, SIZES, Timing, new_photos, time_edit

_WARM_UP_S = 2.0


def edit_for(
    client: httpx.Client, model: str, seconds: float, person: int
) -> list[tuple[float, Timing]]:
    """The edits of one person: after how many seconds each was there, and its times."""
    photo = next(islice(new_photos(SIZES["1024 px"]), person, None))
    upload = client.post("/images", files={"image": photo}).raise_for_status().json()
    captions = cycle(f"this flower has {colour} petals" for colour in COLOURS)
    wish = {"model": model, "image_id": upload["image_id"], "seed": person}
    began, done = perf_counter(), list[tuple[float, Timing]]()
    while (now := perf_counter() - began) < seconds:
        timing = time_edit(client, wish | {"caption": next(captions)}, None)
        done.append((now + timing.fetched_s, timing))
    return done


def measure(client: httpx.Client, model: str, people: int, seconds: float) -> list[Timing]:
    """The edits of all, once it had warmed up and while all were there."""
    with ThreadPoolExecutor(people) as threads:
        one = partial(edit_for, client, model, seconds)
        edits = [edit for edits in threads.map(one, range(people)) for edit in edits]
    return [timing for at, timing in edits if _WARM_UP_S < at <= seconds]


def row(people: int, timings: Sequence[Timing], seconds: float) -> list[str]:
    """Edits a second, then their times in milliseconds and how many went together."""
    answered = [timing.answered_s for timing in timings]
    return [
        str(people),
        f"{len(timings) / (seconds - _WARM_UP_S):.1f}",
        f"{1000 * median(answered):.0f}",
        f"{1000 * quantiles(answered, n=20)[-1]:.0f}",
        f"{mean(timing.metrics['batch_size'] for timing in timings):.1f}",
    ]


def main(
    url: Annotated[str, typer.Option(help="Where the service is.")] = "http://127.0.0.1:8000",
    model: Annotated[str, typer.Option(help="An id of GET /models.")] = "tagan-flowers-64",
    people: Annotated[list[int] | None, typer.Option(help="May be repeated; 1, 4 and 16.")] = None,
    seconds: Annotated[float, typer.Option(min=5, help="Of each row.")] = 20.0,
    key: Annotated[str | None, typer.Option(help="An API key with the scope edit.")] = None,
) -> None:
    """Print edits a second and their times, for each number of people."""
    table = Table(
        "people",
        "edits/s",
        "median, ms",
        "p95, ms",
        "in a pass",
        title=f"{model}, photos of 1024 px",
    )
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, timeout=90, headers=headers) as client:
        for count in people or (1, 4, 16):
            table.add_row(*row(count, measure(client, model, count, seconds), seconds))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
