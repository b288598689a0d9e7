"""Checkpoints with their tensors: save and load (header: models/checkpoint.py)."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from models.base import System
from models.checkpoint import BadCheckpoint, Header, read_header


def build(header: Header) -> System:
    """The system that a header describes, with fresh weights, in evaluation mode."""
    module = header.spec.module()
    return module.SYSTEM(module.Config(**header.config), header.vocabulary).eval()


def save(system: System, header: Header, path: Path, *, half: bool = True) -> None:
    """Write one checkpoint; `half` stores floating-point tensors as float16."""
    state = {
        key: value.half() if half and value.is_floating_point() else value
        for key, value in system.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    partial = path.with_suffix(".partial")
    save_file({k: v.contiguous() for k, v in state.items()}, partial, header.to_metadata())
    partial.replace(path)


def load(path: Path, device: str | torch.device = "cpu") -> System:
    """The system in a checkpoint, float32, in evaluation mode.

    Raises:
        BadCheckpoint: not ours, cut short, or its tensors are not the system's; says which.
    """
    system = build(read_header(path))
    try:
        with safe_open(path, framework="pt") as file:
            stored = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise BadCheckpoint(f"{path} is damaged: {error}") from error
    wanted = {k: v for k, v in system.state_dict().items() if "num_batches_tracked" not in k}
    wrong = [
        f"{key}: has {_shape(stored.get(key))}, wanted {_shape(wanted.get(key))}"
        for key in sorted(stored.keys() | wanted.keys())
        if _shape(stored.get(key)) != _shape(wanted.get(key))
    ]
    if wrong:
        raise BadCheckpoint(f"{path} does not fit its system: " + "; ".join(wrong[:8]))
    with torch.no_grad():
        for key, value in wanted.items():
            value.copy_(stored[key])
    return system.to(device)


def _shape(tensor: torch.Tensor | None) -> str:
    return "nothing" if tensor is None else str(tuple(tensor.shape))
