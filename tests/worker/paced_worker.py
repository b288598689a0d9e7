"""A real worker process whose model takes as long as the caption says: "3 seconds of red".

What a caption with the word "slowly" drew is not written before there is a file `go` in the data
directory. Run as `python -m tests.worker.paced_worker` with the environment of worker/settings.py.
Each pass through the network adds a line, `<pid> <caption> | <caption>`, to `passes.log` in the
data directory, and each model that is loaded one, `<pid> <model>`, to `loads.log`.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from models.base import System, TextFeatures
from worker import results
from worker.loading import load_for_serving
from worker.main import serve
from worker.messages import OutputFile, Request
from worker.settings import Settings
from worker.store import Store


def load_paced(path: Path, device: torch.device) -> System:
    """The system in a checkpoint, slowed down once it has been warmed up, and of a megabyte."""
    system: Any = load_for_serving(path, device)
    system.register_buffer("ballast", torch.zeros(2**18))
    encode_text = system.encode_text
    log = Settings().data_dir / "passes.log"
    with log.with_name("loads.log").open("a") as lines:
        lines.write(f"{os.getpid()} {path.stem}\n")

    def slow(captions: Sequence[str]) -> TextFeatures:
        seconds = captions[0].split()[0]
        if seconds.isdigit():
            with log.open("a") as lines:
                lines.write(f"{os.getpid()} {' | '.join(captions)}\n")
            time.sleep(int(seconds))
        return encode_text(captions)

    system.encode_text = slow
    return system


def write_at_leisure() -> None:
    """Have pictures written when the test says so, if their captions ask for it."""
    write, go = results.write, Settings().data_dir / "go"

    def slow(
        store: Store,
        request: Request,
        answer: results.Answer,
        number: int,
        laid: results.Laid | None = None,
    ) -> tuple[OutputFile, Image.Image]:
        while "slowly" in request.caption and not go.exists():
            time.sleep(0.01)
        return write(store, request, answer, number, laid)

    results.write = slow


if __name__ == "__main__":
    write_at_leisure()
    serve(Settings(), load_paced)
