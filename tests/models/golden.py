"""Weights and inputs that are pure functions of names, and the numbers the authors' code gives.

`goldens*.json` keep, for each output of the authors' networks, its mean and 16 samples. Nothing
of a published weight file is needed: both sides fill their networks by the names of the entries.
"""

import json
import math
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from torch import Tensor, nn

GOLDENS = {
    name: outputs
    for path in Path(__file__).parent.glob("goldens*.json")
    for name, outputs in json.loads(path.read_text()).items()
}
_SAMPLES = 16

N = TypeVar("N", bound=nn.Module)


def draw(name: str, *shape: int) -> Tensor:
    """Standard normal numbers that depend on `name` and `shape` alone."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(zlib.crc32(name.encode())))


def fill(network: N, to_upstream: Callable[[str], str]) -> N:
    """Overwrite every entry by its name in the authors' code; evaluation mode."""
    with torch.no_grad():
        for key, value in network.state_dict().items():
            value.copy_(weight(to_upstream(key), tuple(value.shape)))
    return network.eval()


def assert_golden(name: str, outputs: Sequence[Tensor]) -> None:
    """Each output is the authors' to 1e-4."""
    for output, expected in zip(outputs, GOLDENS[name], strict=True):
        flat = output.detach().double().flatten()
        samples = [flat[i * flat.numel() // _SAMPLES].item() for i in range(_SAMPLES)]
        assert flat.numel() == expected["numel"]
        assert samples == pytest.approx(expected["samples"], abs=1e-4)
        assert flat.mean().item() == pytest.approx(expected["mean"], abs=1e-4)


def weight(key: str, shape: tuple[int, ...]) -> Tensor:
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.long)
    normal = draw(key, *shape)
    if len(shape) >= 2:
        gain = 1.5 if len(shape) == 4 else 1.0
        return gain * normal / math.sqrt(normal.numel() / shape[0])
    if key.endswith("running_var"):
        return 1 + 0.2 * normal.abs()
    return 1 + 0.1 * normal if key.endswith("weight") else 0.1 * normal
