"""A web process on a real queue and store; workers are played by hand through the queue."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Thread
from time import sleep
from types import MappingProxyType

import httpx
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from PIL import Image

from app.main import create_app
from app.settings import Settings
from models.checkpoint import Header
from worker import animation, heatmaps
from worker.messages import HeatmapFile, Metrics, OutputFile, Result
from worker.queue import JobQueue, WorkerView
from worker.settings import Settings as SharedSettings
from worker.store import Store

WORDS = ("flower", "this", "has", "petals", "yellow", "red", "white", "with")


def write_checkpoint(
    folder: Path,
    *,
    system: str = "tagan",
    domain: str = "flowers",
    image_size: int = 64,
    steps: int = 1000,
    words: tuple[str, ...] = WORDS,
    metrics: Mapping[str, float] = MappingProxyType({"colour_accuracy": 0.7}),
) -> Header:
    """A checkpoint without tensors, which is all that the web process reads of one."""
    header = Header(
        system=system,
        domain=domain,
        image_size=image_size,
        config={},
        words=words,
        steps=steps,
        metrics=dict(metrics),
        examples=("this flower has yellow petals",),
    )
    folder.mkdir(parents=True, exist_ok=True)
    raw = json.dumps({"__metadata__": header.to_metadata()}).encode()
    path = folder / f"{header.id}.safetensors"
    path.write_bytes(len(raw).to_bytes(8, "little") + raw)
    return header


def picture(width: int = 64, height: int = 48, format: str = "jpeg", mode: str = "RGB") -> bytes:
    """A file with a gradient in it."""
    grey = np.linspace(0, 255, width * height).reshape(height, width).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(grey).convert(mode).save(file, format)
    return file.getvalue()


def stored(settings: SharedSettings) -> list[Path]:
    """The files in the local store of `settings`."""
    return [path for path in Path(settings.store_url).rglob("*") if path.is_file()]


@pytest.fixture
def web_settings(settings: SharedSettings) -> Settings:
    """Settings of a web process that offers one model for flowers and one for clothes."""
    for domain in ("clothes", "flowers"):
        write_checkpoint(settings.checkpoints[0], domain=domain)
    return Settings(**settings.model_dump(), max_wait_s=5)


@pytest.fixture
def app(web_settings: Settings) -> FastAPI:
    return create_app(web_settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    """Speaks to the web process over a real socket."""
    with serving(app) as address, httpx.Client(base_url=address, timeout=20) as client:
        yield client


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[str]:
    """A real server of `app` on `port`, or a free one; its address."""
    config = uvicorn.Config(app, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            sleep(0.005)
        try:
            yield "http://{}:{}".format(*listener.getsockname())
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def queue(web_settings: Settings) -> Iterator[JobQueue]:
    queue = JobQueue.from_settings(web_settings)
    yield queue
    queue.connection.close()


@pytest.fixture
def finish(queue: JobQueue, store: Store) -> Callable[[str], Result]:
    """Ends a job as a worker would: a picture, a stage before it, and where two words looked."""

    def end(job_id: str) -> Result:
        key = store.put(picture(mode="RGB"), kind="results", suffix=".jpg")
        small, smaller = (
            store.put(picture(side, side, "png"), kind="results", suffix=".png")
            for side in (64, 32)
        )
        left = np.repeat([[1.0, 0.0]], 2, axis=0).astype(np.float32)
        maps = store.put(heatmaps.strip(np.stack([left, 1 - left])), kind="results", suffix=".png")
        output = OutputFile(
            key,
            "image/jpeg",
            64,
            48,
            seed=7,
            network_image=small,
            stages=(smaller,),
            words=("yellow", "petals"),
            heatmaps=(HeatmapFile(maps, (0.5, 0.25)),),
            scores=(0.9, 0.1),
        )
        moving = animation.animate([Image.new("RGB", (16, 16), c) for c in ("red", "blue")])
        key = store.put(moving, kind="results", suffix=".webp")
        result = Result((output,), Metrics(queue_s=0.01, predict_s=0.04), animation=key)
        assert queue.finish(job_id, result)
        return result

    return end


@pytest.fixture
def warm_worker(queue: JobQueue) -> WorkerView:
    """A worker that says it has both models in memory."""
    worker = WorkerView("w1", 1, "here", "cpu", ("tagan-clothes-64", "tagan-flowers-64"))
    queue.announce(worker)
    return worker
