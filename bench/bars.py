"""What batches cost: their two bars, each as a ratio of things measured in turn on one machine.

    python -m bench.bars --model tagan-flowers-64 --items 1000 --rounds 2

A batch of --items is as fast as 90 % of the bare network at its best batch size, and while one is
being done, 95 % of a person's edits take at most one forward pass longer than they do otherwise.
The network runs alone in this process, batches and edits in a worker of their own, never both.
Beside them, without a bar: the processor's time for a picture, which hardly depends on what else
the machine does, and how fast single jobs are that wait together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.bare import Bare
from bench.serving import CAPTION, LOOK_S, request_for, running, worker_cpu_s
from models.registry import Task
from worker.batch_records import Item
from worker.batches import Batches
from worker.messages import Request, Result
from worker.queue import JobQueue
from worker.settings import Settings

SIZES = (1, 4, 8, 16, 32)
SHARE = 0.9
_PAUSE_S = 0.05  # between two edits of a person


def jobs_per_s(settings: Settings, request: Request, count: int) -> float:
    """Of single jobs that all wait at once."""
    queue = JobQueue.from_settings(settings)
    started = perf_counter()
    jobs = [queue.submit(request) for _ in range(count)]
    for job in jobs:
        queue.wait(job, 600)
    return count / (perf_counter() - started)


def items_per_s(settings: Settings, request: Request, count: int) -> float:
    """Of one batch of so many, from when it is sent to when its last item is there."""
    batches = Batches.from_settings(settings)
    started = perf_counter()
    batch_id = batches.submit([Item(str(n), request) for n in range(count)])
    while not batches.read(batch_id).status.is_final:
        sleep(LOOK_S)
    return count / (perf_counter() - started)


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


def edits_during_a_batch_s(
    settings: Settings, request: Request, count: int
) -> tuple[list[float], int]:
    """The same from the start of a batch to its end, or until there are enough; and how many
    pictures the batch's passes had.
    """
    queue, batches = JobQueue.from_settings(settings), Batches.from_settings(settings)
    items = [Item(str(n), replace(request, seed=n)) for n in range(10_000)]
    batch_id = batches.submit(items)
    sleep(1)  # it is under way
    times = edits_s(queue, request, count, lambda: not batches.read(batch_id).status.is_final)
    view = batches.cancel(batch_id)
    outcomes = [one.outcome for one in batches.items(view, range(view.succeeded))]
    sizes = [one.metrics.batch_size for one in outcomes if isinstance(one, Result)]
    return times, round(median(sizes))


def p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20)[-1]


@dataclass(frozen=True)
class Measured:
    """What the table is made of; lists have an entry a round."""

    bare: list[float]  # pictures a second of the network alone
    batch: list[float]  # of a batch
    jobs: list[float]  # of single jobs that wait together
    bare_cpu_s: list[float]  # for a picture
    batch_cpu_s: list[float]
    idle_s: float  # a person's edit when there is nothing else, 95 % of them
    during_s: float  # while a batch is being done
    forward_s: float  # a pass of the network


def rows(got: Measured) -> list[tuple[str, str, str]]:
    """What, its figures and whether the bar is kept, if it has one."""
    share = _share(got.batch, got.bare)
    passes = (got.during_s - got.idle_s) / got.forward_s
    return [
        (
            "batch beside the bare network",
            f"{median(got.batch):.1f} / {median(got.bare):.1f} pictures/s = {share:.2f}",
            _verdict(share >= SHARE, f">= {SHARE}"),
        ),
        (
            "an edit's p95 during a batch",
            f"{1000 * got.during_s:.0f} - {1000 * got.idle_s:.0f} ms = {passes:.2f} passes "
            f"of {1000 * got.forward_s:.0f} ms",
            _verdict(passes <= 1, "<= 1"),
        ),
        (
            "processor for a picture of it",
            f"{1000 * median(got.batch_cpu_s):.1f} ms, of the network alone "
            f"{1000 * median(got.bare_cpu_s):.1f} ms",
            "",
        ),
        (
            "single jobs that wait together",
            f"{median(got.jobs):.1f} pictures/s = {_share(got.jobs, got.bare):.2f}",
            "",
        ),
    ]


def _share(part: Sequence[float], whole: Sequence[float]) -> float:
    """The median over the rounds."""
    return median(a / b for a, b in zip(part, whole, strict=True))


def _verdict(is_kept: bool, bar: str) -> str:
    return f"kept ({bar})" if is_kept else f"MISSED ({bar})"


def main(
    model: Annotated[str, typer.Option(help="A shipped checkpoint.")] = "tagan-flowers-64",
    task: Annotated[Task, typer.Option(help="manipulate or generate.")] = Task.MANIPULATE,
    items: Annotated[int, typer.Option(min=64, help="Of a batch.")] = 1000,
    rounds: Annotated[int, typer.Option(min=1)] = 2,
    edits: Annotated[int, typer.Option(min=20, help="Of a person, idle and during.")] = 60,
    side: Annotated[int, typer.Option(min=16, help="Pixels a side of the photo.")] = 64,
    batch_size: Annotated[int, typer.Option(min=1, help="A worker's, at most.")] = 32,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
) -> None:
    """Print both bars; about two minutes for each model on an idle machine."""
    bare = Bare(model, task, threads)
    with TemporaryDirectory() as folder, running(Path(folder), batch_size, threads) as settings:
        request = request_for(settings, model, side)
        if task is Task.GENERATE:
            request = Request(task, model, CAPTION)
        queue = JobQueue.from_settings(settings)
        edits_s(queue, request, 8, lambda: True)
        best = max(SIZES, key=lambda size: size / bare.pass_s(size, 1.0))
        alone, together, single, alone_cpu_s, together_cpu_s = (list[float]() for _ in range(5))
        for _ in range(rounds):
            alone.append(best / bare.pass_s(best, 5.0))
            alone_cpu_s.append(bare.cpu_s(best))
            before_s = worker_cpu_s(settings)
            together.append(items_per_s(settings, request, items))
            together_cpu_s.append((worker_cpu_s(settings) - before_s) / items)
            single.append(jobs_per_s(settings, request, items // 5))
        idle_s = p95(edits_s(queue, request, edits, lambda: True))
        during, size = edits_during_a_batch_s(settings, request, edits)
        forward_s = bare.pass_s(size, 2.0)
    got = Measured(
        alone, together, single, alone_cpu_s, together_cpu_s, idle_s, p95(during), forward_s
    )
    title = f"{model}, {task}, {items} items of {side} px, bare at {best}, batch at {size}"
    table = Table("", "measured", "bar", title=title)
    for row in rows(got):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
