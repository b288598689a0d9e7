"""Trained text encoders as files of their own, for the systems that are trained to read by them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn


class BadReader(ValueError):
    """The file is no trained text encoder of this kind."""


def write_reader(encoder: nn.Module, path: Path, *, kind: str, about: Mapping[str, Any]) -> None:
    """Weights, and beside them what `read_reader` gives back; `about` is plain data."""
    partial = path.with_suffix(".partial")
    state = {key: value.contiguous() for key, value in encoder.state_dict().items()}
    save_file(state, partial, {kind: json.dumps(about)})
    partial.replace(path)


def read_reader(path: Path, *, kind: str, command: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """(about, weights) of a file that `write_reader` wrote; `command` is what makes such files.

    Raises:
        BadReader: another file, or a damaged one.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(kind, "null"))
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, FileNotFoundError) as error:
        raise BadReader(f"{path} is damaged or missing: {error}") from error
    if about is None:
        wanted = f"wanted one of `python -m training {command}`"
        raise BadReader(f"{path} is no text encoder; {wanted}")
    return about, state
