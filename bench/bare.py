"""A network alone, which what serves it is measured beside."""

from math import ceil
from statistics import median
from time import perf_counter, process_time

import torch

from bench.serving import CAPTION, ROOT
from models.heap import SERVING, keep_freed
from models.registry import Task
from worker.loading import load_for_serving


class Bare:
    """The network alone, with pictures of noise."""

    def __init__(self, model: str, task: Task, threads: int, *, kept: bool = True) -> None:
        """Freed memory is `kept`, as a worker does."""
        if kept:
            keep_freed(*SERVING)
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

    def cpu_s(self, size: int) -> float:
        """Seconds of the processor for a picture in such a pass."""
        count = ceil(64 / size)
        started = process_time()
        for _ in range(count):
            self.forward(size)
        return (process_time() - started) / (count * size)

    def pass_s(self, size: int, seconds: float) -> float:
        """The median time of a pass, in about so many seconds."""
        self.forward(size)
        began, times = perf_counter(), list[float]()
        while perf_counter() - began < seconds or len(times) < 3:
            started = perf_counter()
            self.forward(size)
            times.append(perf_counter() - started)
        return median(times)
