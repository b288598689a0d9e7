"""What it is worth that freed memory is kept (models/heap.py), for passes of a network.

    python -m bench.heap --model attngan-flowers-64 --task generate

Passes take turns in two processes, one that keeps what it frees and one that leaves that to glibc.
"""

import json
import resource
import subprocess
import sys
from statistics import median
from time import perf_counter
from typing import Annotated

import typer

from bench.bare import Bare
from bench.serving import ROOT
from models.registry import Task

_SECONDS = 2.0


def measure(model: str, task: Task, size: int, *, kept: bool) -> tuple[float, float]:
    """Pictures a second and page faults a picture, of passes on one thread in this process."""
    network = Bare(model, task, 1, kept=kept)
    network.forward(size)
    before, started, count = _faults(), perf_counter(), 0
    while perf_counter() - started < _SECONDS:
        network.forward(size)
        count += size
    return count / (perf_counter() - started), (_faults() - before) / count


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def main(
    model: Annotated[str, typer.Option(help="A shipped checkpoint.")] = "attngan-flowers-64",
    task: Annotated[Task, typer.Option(help="manipulate or generate.")] = Task.GENERATE,
    size: Annotated[int, typer.Option(min=1, help="Pictures in a pass.")] = 8,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    kept: Annotated[bool | None, typer.Option(hidden=True)] = None,
) -> None:
    """Print both, and their ratio."""
    if kept is not None:
        typer.echo(json.dumps(measure(model, task, size, kept=kept)))
        return
    command = [sys.executable, "-m", "bench.heap", "--model", model, "--task", task.value]
    command += ["--size", str(size)]
    found: dict[str, list[list[float]]] = {"--kept": [], "--no-kept": []}
    for _ in range(rounds):
        for option, measured in found.items():
            out = subprocess.check_output([*command, option], cwd=ROOT, text=True)
            measured.append(json.loads(out))
    ratio = median(a[0] / b[0] for a, b in zip(*found.values(), strict=True))
    for option, measured in found.items():
        speed, faults = (median(column) for column in zip(*measured, strict=True))
        typer.echo(f"{option:10} {speed:6.1f} pictures/s, {faults:6.0f} page faults a picture")
    typer.echo(f"{model}, {size} in a pass: {ratio:.2f} times as fast where memory is kept")


if __name__ == "__main__":
    typer.run(main)
