"""The loop that every trainer runs in: progress, logs, sheets, resuming, several processes.

A run is a folder: `state.pt` (everything to go on from, to the step), `log.jsonl` (one line each
`log_every` steps), `sheets/`, and the exported checkpoint with averaged weights.
"""

import json
import math
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from PIL import Image
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn
from torch.optim import Optimizer

Part = nn.Module | Optimizer  # of a trainer, with weights or numbers that it learns


class Diverged(RuntimeError):
    """A loss was not a number; the last saved state is from before."""


@dataclass(frozen=True)
class RunSettings:
    """How long and where; what is learnt is the trainer's business."""

    folder: Path
    steps: int  # optimiser steps in all, counted over resumed runs
    minutes: float | None = None  # stop, resumable, after this long
    log_every: int = 50  # steps
    save_every_s: float = 300
    sheet_every_s: float = 240


class Trainer(ABC):
    """One paper's losses and step."""

    @abstractmethod
    def train_step(self, step: int) -> Mapping[str, float]:
        """One optimiser step on the batch of `step`; returns what goes into the log."""

    @abstractmethod
    def parts(self) -> Mapping[str, Part]:
        """By name, all that a resumed run needs besides the step's number."""

    @abstractmethod
    def sheet(self) -> Image.Image:
        """What the averaged network does now, on pictures kept from training."""

    @abstractmethod
    def export(self, folder: Path, *, steps: int, hours: float) -> Path:
        """Write the checkpoint of the averaged weights; returns its path."""


def run(trainer: Trainer, settings: RunSettings) -> Path | None:
    """Train to `settings.steps`, resuming what the folder holds; returns the exported checkpoint.

    SIGTERM and Ctrl-C save and stop; so does the end of `minutes`. Only rank 0 writes.

    Raises:
        Diverged: a loss was not finite.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    start, hours = _resume(trainer, settings.folder)
    began = saved = drawn = time.monotonic()
    spent = lambda: hours + (time.monotonic() - began) / 3600  # noqa: E731
    step = start
    with _progress(settings.steps, start) as show, _stop_requested() as stopping:
        while step < settings.steps and not stopping:
            losses = trainer.train_step(step)
            if not all(map(math.isfinite, losses.values())):
                raise Diverged(f"step {step}: {dict(losses)}; saved before in {settings.folder}")
            step += 1
            show(step, losses)
            if step % settings.log_every == 0:
                _log(settings.folder, {"step": step, "hours": spent(), **losses})
            if time.monotonic() - saved > settings.save_every_s:
                _save(trainer, settings.folder, step, spent())
                saved = time.monotonic()
            if time.monotonic() - drawn > settings.sheet_every_s or step == settings.steps:
                _draw(trainer, settings.folder, step)
                drawn = time.monotonic()
            if settings.minutes and time.monotonic() - began > settings.minutes * 60:
                break
    return _save(trainer, settings.folder, step, spent())


def rank() -> int:
    """This process's number among those that `torchrun` started."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main() -> bool:
    return rank() == 0


@contextmanager
def process_group() -> Iterator[None]:
    """Join the processes that `torchrun` started, if it did: nccl with GPUs, else gloo."""
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def device() -> torch.device:
    """This process's GPU if there is one, else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))


def autocast(place: torch.device) -> AbstractContextManager[None]:
    """bfloat16 where the hardware multiplies it directly: two to five times as fast there."""
    native = (
        torch.cuda.is_bf16_supported()
        if place.type == "cuda"
        else torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    return torch.autocast(place.type, torch.bfloat16, enabled=native)


def share_weights(parts: Iterable[Part]) -> None:
    """Give all processes the weights of rank 0."""
    if world_size() > 1:
        for part in parts:
            if isinstance(part, nn.Module):
                for tensor in part.state_dict().values():
                    dist.broadcast(tensor, src=0)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Mean of the gradients over all processes, in one message."""
    if world_size() == 1:
        return
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([grad.flatten() for grad in grads])
    dist.all_reduce(flat)
    flat /= world_size()
    for grad, mean in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        grad.copy_(mean.view_as(grad))


class Average:
    """Exponential moving average of a network's weights and normalisation statistics."""

    def __init__(self, live: nn.Module, copy: nn.Module, decay: float) -> None:
        self.live, self.copy, self.decay = live, copy.eval().requires_grad_(False), decay
        copy.load_state_dict(live.state_dict())

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the live weights; early steps count more, so that the start is forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step))
        pairs = zip(self.copy.state_dict().values(), self.live.state_dict().values(), strict=True)
        for mean, value in pairs:
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


def step_generator(seed: int, step: int) -> torch.Generator:
    """Noise of one step and process: the same again when the run is resumed."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step) * 1009 + rank())


def _resume(trainer: Trainer, folder: Path) -> tuple[int, float]:
    """Steps and hours that the folder's state has behind it."""
    path = folder / "state.pt"
    if not path.exists():
        return 0, 0.0
    saved = torch.load(path, weights_only=True, map_location="cpu")
    for name, part in trainer.parts().items():
        part.load_state_dict(saved["trainer"][name])
    return saved["step"], saved["hours"]


def _save(trainer: Trainer, folder: Path, step: int, hours: float) -> Path | None:
    """Write the state and, beside it, the checkpoint as it is now."""
    if not is_main():
        return None
    partial = folder / "state.partial"
    state = {name: part.state_dict() for name, part in trainer.parts().items()}
    torch.save({"trainer": state, "step": step, "hours": hours}, partial)
    partial.replace(folder / "state.pt")
    return trainer.export(folder, steps=step, hours=hours)


def _draw(trainer: Trainer, folder: Path, step: int) -> None:
    if is_main():
        (folder / "sheets").mkdir(exist_ok=True)
        trainer.sheet().save(folder / "sheets" / f"{step:07d}.png")


def _log(folder: Path, row: Mapping[str, float]) -> None:
    if is_main():
        with (folder / "log.jsonl").open("a") as file:
            file.write(json.dumps({k: round(v, 5) for k, v in row.items()}) + "\n")


@contextmanager
def _progress(total: int, start: int) -> Iterator[Any]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not is_main()) as bar:
        task = bar.add_task("training", total=total, completed=start)

        def show(step: int, losses: Mapping[str, float]) -> None:
            if step % 10 == 0:
                text = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
                bar.update(task, completed=step, description=text)

        yield show


@contextmanager
def _stop_requested() -> Iterator[list[int]]:
    """A list that is empty until SIGTERM or SIGINT comes."""
    seen: list[int] = []
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda n, _: seen.append(n)) for number in numbers]
    try:
        yield seen
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
