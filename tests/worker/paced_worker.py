"""A real worker process whose model takes as long as the caption says: "3 seconds of red".

Run as `python -m tests.worker.paced_worker` with the environment of worker/settings.py. Each pass
through the network adds a line, `<pid> <caption> | <caption>`, to `passes.log` in the data
directory.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from models.base import System, TextFeatures
from worker.loading import load_for_serving
from worker.main import serve
from worker.settings import Settings


def load_paced(path: Path, device: torch.device) -> System:
    """The system in a checkpoint, slowed down once it has been warmed up."""
    system: Any = load_for_serving(path, device)
    encode_text = system.encode_text
    log = Settings().data_dir / "passes.log"

    def slow(captions: Sequence[str]) -> TextFeatures:
        seconds = captions[0].split()[0]
        if seconds.isdigit():
            with log.open("a") as lines:
                lines.write(f"{os.getpid()} {' | '.join(captions)}\n")
            time.sleep(int(seconds))
        return encode_text(captions)

    system.encode_text = slow
    return system


if __name__ == "__main__":
    serve(Settings(), load_paced)
