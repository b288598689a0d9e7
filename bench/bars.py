"""The two bars of batches, each as a ratio of things measured in turn on the same machine.

    python -m bench.bars --model tagan-flowers-64 --items 1000 --rounds 2

A batch of --items is as fast as 90 % of the bare network at its best batch size, and while one is
being done, 95 % of a person's edits take at most one forward pass longer than they do otherwise.
The network runs alone in this process, batches and edits in a worker of their own, never both.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from bench.batching import ROOT, items_per_s, request_for, running
from models.registry import Task
from worker.batch_records import Item
from worker.batches import Batches
from worker.loading import load_for_serving
from worker.messages import Request
from worker.queue import JobQueue
from worker.settings import Settings

CAPTION = "this flower has red petals"
SIZES = (1, 4, 8, 16, 32)
SHARE = 0.9
_PAUSE_S = 0.05  # between two edits of a person


class Bare:
    """The network alone, with pictures of noise."""

    def __init__(self, model: str, task: Task, threads: int) -> None:
        torch.set_num_threads(threads)
        path = ROOT / "checkpoints" / f"{model}.safetensors"
        self._system = load_for_serving(path, torch.device("cpu"))
        self._task = task

    @torch.inference_mode()
    def forward(self, size: int) -> None:
        """One pass with `size` pictures."""
        system = self._system
        text = system.encode_text([CAPTION] * size)
        noise = torch.zeros(size, system.noise_dim)
        if self._task is Task.GENERATE:
            system.generate(text, noise)
            return
        image = torch.zeros(size, 3, system.cfg.image_size, system.cfg.image_size)
        system.manipulate(system.prepare(image), text, noise)

    def pass_s(self, size: int, seconds: float) -> float:
        """The median time of a pass, in about so many seconds."""
        self.forward(size)
        began, times = perf_counter(), list[float]()
        while perf_counter() - began < seconds or len(times) < 3:
            started = perf_counter()
            self.forward(size)
            times.append(perf_counter() - started)
        return median(times)


def edits_s(
    queue: JobQueue, request: Request, count: int, go_on: Callable[[], bool]
) -> list[float]:
    """How long a person's edits took, one after another, while `go_on` says so."""
    times: list[float] = []
    while len(times) < count and go_on():
        started = perf_counter()
        queue.wait(queue.submit(replace(request, seed=len(times))), 60)
        times.append(perf_counter() - started)
        sleep(_PAUSE_S)
    return times


def edits_during_a_batch_s(settings: Settings, request: Request, count: int) -> list[float]:
    """The same from the start of a batch to its end, or until there are enough."""
    queue, batches = JobQueue.from_settings(settings), Batches.from_settings(settings)
    items = [Item(str(n), replace(request, seed=n)) for n in range(10_000)]
    batch_id = batches.submit(items)
    sleep(1)  # it is under way
    times = edits_s(queue, request, count, lambda: not batches.read(batch_id).status.is_final)
    batches.cancel(batch_id)
    return times


def p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20)[-1]


def rows(
    bare: Sequence[float], batch: Sequence[float], idle_s: float, during_s: float, forward_s: float
) -> list[tuple[str, str, str]]:
    """What, its figures and whether the bar is kept; `bare` and `batch` are pictures a second."""
    share = median(b / a for a, b in zip(bare, batch, strict=True))
    passes = (during_s - idle_s) / forward_s
    return [
        (
            "batch beside the bare network",
            f"{median(batch):.1f} / {median(bare):.1f} pictures/s = {share:.2f}",
            _verdict(share >= SHARE, f">= {SHARE}"),
        ),
        (
            "an edit's p95 during a batch",
            f"{1000 * during_s:.0f} - {1000 * idle_s:.0f} ms = {passes:.2f} passes "
            f"of {1000 * forward_s:.0f} ms",
            _verdict(passes <= 1, "<= 1"),
        ),
    ]


def _verdict(is_kept: bool, bar: str) -> str:
    return f"kept ({bar})" if is_kept else f"MISSED ({bar})"


def main(
    model: Annotated[str, typer.Option(help="A shipped checkpoint.")] = "tagan-flowers-64",
    task: Annotated[Task, typer.Option(help="manipulate or generate.")] = Task.MANIPULATE,
    items: Annotated[int, typer.Option(min=64, help="Of a batch.")] = 1000,
    rounds: Annotated[int, typer.Option(min=1)] = 2,
    edits: Annotated[int, typer.Option(min=20, help="Of a person, idle and during.")] = 60,
    side: Annotated[int, typer.Option(min=16, help="Pixels a side of the photo.")] = 64,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures in a worker's pass.")] = 8,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
) -> None:
    """Print both bars; about two minutes for each model on an idle machine."""
    bare = Bare(model, task, threads)
    alone, together = list[float](), list[float]()
    with TemporaryDirectory() as folder, running(Path(folder), batch_size, threads) as settings:
        request = request_for(settings, model, side)
        if task is Task.GENERATE:
            request = Request(task, model, CAPTION)
        queue = JobQueue.from_settings(settings)
        edits_s(queue, request, 8, lambda: True)
        best = max(SIZES, key=lambda size: size / bare.pass_s(size, 1.0))
        for _ in range(rounds):
            alone.append(best / bare.pass_s(best, 5.0))
            together.append(items_per_s(settings, request, items))
        idle_s = p95(edits_s(queue, request, edits, lambda: True))
        during_s = p95(edits_during_a_batch_s(settings, request, edits))
        forward_s = bare.pass_s(batch_size, 2.0)
    title = f"{model}, {task}, {items} items of {side} px, bare at {best}, batch at {batch_size}"
    table = Table("", "measured", "bar", title=title)
    for row in rows(alone, together, idle_s, during_s, forward_s):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
