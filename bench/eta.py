"""How near `eta_s` comes to the truth: jobs of mixed models and sizes, with a worker of their own.

    python -m bench.eta --jobs 200

Jobs come in bursts, as from people who type; each is asked for its `eta_s` as soon as it is queued,
and how long it really took is told by its record. "off by" is the larger of estimate / actual and
actual / estimate, so 2 is off by a factor of two, whichever way.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import sleep
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.serving import request_for, running
from models.registry import Task
from worker.messages import Request
from worker.queue import JobQueue
from worker.settings import Settings

MODELS = ("tagan-flowers-64", "tagan-clothes-64")
SIDES = (64, 640, 1600)
DRAWS = "attngan-flowers-64"
BAR = 2.0


def wishes(settings: Settings) -> list[Request]:
    """One of each kind: photos of each size for each model, whole and as previews; drawings."""
    edits = [
        replace(request_for(settings, model, side), photo_pixels=side**2)
        for model in MODELS
        for side in SIDES
    ]
    previews = [replace(edit, full_resolution=False) for edit in edits]
    drawing = Request(Task.GENERATE, DRAWS, "this flower has red petals")
    return [*edits, *previews, drawing, replace(drawing, variations=4)]


def burst(queue: JobQueue, requests: Sequence[Request], rng: random.Random) -> list[float]:
    """Estimate / actual of each of some jobs that come shortly one after another."""
    asked: list[tuple[str, float]] = []
    for request in requests:
        job_id = queue.submit(replace(request, seed=rng.randrange(2**32)))
        if eta_s := queue.seconds_left(queue.read(job_id)):
            asked.append((job_id, eta_s))
        sleep(rng.expovariate(20))
    ratios: list[float] = []
    for job_id, eta_s in asked:
        view = queue.wait(job_id, 120)
        if view.finished_at:
            ratios.append(eta_s / (view.finished_at - view.created_at).total_seconds())
    return ratios


def row(name: str, ratios: Sequence[float]) -> list[str]:
    """Median and 90 % of how far the estimates were off, and whether the bar is kept."""
    off = [max(ratio, 1 / ratio) for ratio in ratios]
    within = sum(one <= BAR for one in off) / len(off)
    ninth = quantiles(off, n=10)[-1]
    verdict = f"kept (<= {BAR:g})" if ninth <= BAR else f"MISSED (<= {BAR:g})"
    ratio = f"{median(ratios):.2f}"
    return [
        name,
        str(len(off)),
        ratio,
        f"{median(off):.2f}",
        f"{ninth:.2f}",
        f"{within:.0%}",
        verdict,
    ]


def main(
    jobs: Annotated[int, typer.Option(min=30, help="In each row.")] = 200,
    seed: Annotated[int, typer.Option()] = 0,
    batch_size: Annotated[int, typer.Option(min=1)] = 8,
) -> None:
    """Print how far the estimates were off: for jobs that come alone, and in bursts."""
    rng = random.Random(seed)
    table = Table("jobs", "n", "estimate / actual", "off by", "90 %", "within", "bar")
    with TemporaryDirectory() as folder, running(Path(folder), batch_size, 1) as settings:
        queue, kinds = JobQueue.from_settings(settings), wishes(settings)
        for _ in range(3):
            burst(queue, kinds, rng)  # what the service has done before
        for name, most in (("alone", 1), ("up to 12 at once", 12)):
            ratios: list[float] = []
            while len(ratios) < jobs:
                ratios += burst(queue, rng.choices(kinds, k=rng.randint(1, most)), rng)
            table.add_row(*row(name, ratios))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
