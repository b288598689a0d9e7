"""How much memory this process takes."""

import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path

import torch

from worker.loading import ModelPool

_PAGES = Path("/proc/self/statm")


def memory_bytes(models: ModelPool) -> Mapping[str, int]:
    """By kind: `resident`, `models` for their tensors, and on a GPU `device`, what torch has taken
    of it.
    """
    taken = {"resident": _resident_bytes(), "models": models.bytes}
    if models.device.type == "cuda":
        taken["device"] = torch.cuda.memory_reserved(models.device)
    return taken


def _resident_bytes() -> int:
    """Now, where Linux tells; elsewhere the most it ever was."""
    if _PAGES.exists():
        return int(_PAGES.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
