"""The smallest real checkpoint, for tests that need one and not its pictures."""

from dataclasses import asdict
from pathlib import Path

import torch

from models import registry, weights
from models.checkpoint import Header

WORDS = ("a", "yellow", "red", "flower", "with", "petals")


def write_tiny_model(
    folder: Path, system_name: str = "tagan", *, domain: str = "flowers", contrast: float = 1.0
) -> str:
    """Write a system of 16 px, never trained, into `folder`; returns its id.

    With more `contrast` its random weights are larger, so that its answers differ to the eye.
    """
    tiny = registry.find(system_name).module().TINY
    header = Header(system_name, domain, tiny.image_size, asdict(tiny), WORDS)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        system = weights.build(header)
        for weight in system.parameters():
            weight.data *= contrast if weight.dim() > 1 else 1
    folder.mkdir(parents=True, exist_ok=True)
    weights.save(system, header, folder / f"{header.id}.safetensors")
    return header.id
