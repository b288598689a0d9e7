"""training/loop.py: several processes, and the average."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.multiprocessing.spawn import spawn

from training.loop import (
    Average,
    average_gradients,
    process_group,
    rank,
    share_weights,
    step_generator,
)


def test_two_processes_start_alike_and_take_the_mean_gradient(tmp_path: Path) -> None:
    spawn(_take_part, args=(tmp_path,), nprocs=2)
    first, second = (torch.load(tmp_path / f"{i}.pt", weights_only=True) for i in range(2))
    assert torch.equal(first["weight"], second["weight"])
    assert first["grad"].tolist() == second["grad"].tolist() == [[1.5, 1.5]]  # of 1 and 2
    assert not torch.equal(first["noise"], second["noise"])


def test_the_average_forgets_its_start() -> None:
    live, copy = nn.Linear(1, 1), nn.Linear(1, 1)
    average = Average(live, copy, decay=0.9)
    with torch.no_grad():
        live.weight.fill_(5.0)
    for step in range(200):
        average.update(step)
    assert copy.weight.item() == pytest.approx(5.0, abs=1e-3)


def _take_part(number: int, folder: Path) -> None:
    os.environ |= {
        "RANK": str(number),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29517",
    }
    with process_group():
        torch.manual_seed(number)
        layer = nn.Linear(2, 1, bias=False)
        share_weights([layer])
        (layer(torch.ones(1, 2)) * (1 + rank())).sum().backward()
        average_gradients(layer.parameters())
        noise = torch.randn(3, generator=step_generator(0, 0))
        state = {"weight": layer.weight.detach(), "grad": layer.weight.grad, "noise": noise}
        torch.save(state, folder / f"{number}.pt")
