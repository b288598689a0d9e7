"""The worker process: load the models, run each once, say so, then take jobs until told to stop.

SIGTERM or SIGINT lets it finish the job in hand first.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from uuid import uuid4

import structlog
import torch
from opentelemetry.trace import TracerProvider
from rq.exceptions import DeserializationError
from rq.job import Job

from models.heap import SERVING, keep_freed
from models.registry import OBJECT_FINDER
from worker import logs, tracing
from worker.batches import CHUNK_FUNCTION, CHUNK_RETRIES, Batches
from worker.chunks import ChunkRunner
from worker.direct import GENERATE, MANIPULATE, DirectRunner
from worker.engine import Engine, Writing
from worker.gathering import Gatherer
from worker.importing import Importer
from worker.imports import IMPORT_FUNCTION, Imports
from worker.jobs import JobRunner, job_class
from worker.library import Library
from worker.loading import Load, ModelPool, choose_device, load_for_serving
from worker.memory import memory_bytes
from worker.passes import FEW, PassSizes
from worker.queue import BATCH, FUNCTION, INTERACTIVE, JobQueue, QueueDown, WorkerView
from worker.resident import ResidentWorker
from worker.routing import routed_queue
from worker.scribe import Scribe
from worker.search import Searcher
from worker.settings import Settings
from worker.standing import Doing
from worker.store import Store
from worker.writer import Writer, cores

_log = structlog.get_logger(__name__)
_TRACER = "wordbrush"


def serve(settings: Settings, load: Load = load_for_serving) -> None:
    """Take jobs until told to stop; `load` turns a checkpoint into a system."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)  # until RQ sets its own
    logs.configure("worker", settings.log_format)
    provider = tracing.provider_from_environment("worker")
    keep_freed(*SERVING)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    queue = JobQueue.from_settings(settings)
    queue.ping()
    store = Store.from_settings(settings)
    device = choose_device(settings.device)

    def note_load(model: str, seconds: float) -> None:
        with suppress(QueueDown):  # it is only an estimate that goes without
            queue.note_load(model, seconds)

    models = ModelPool(
        settings.checkpoints,
        device,
        load,
        on_load=note_load,
        only=settings.models,
        max_bytes=settings.models_mb * 2**20 if settings.models_mb else None,
    )
    searcher = Searcher(Library(settings.library), settings.data_dir / "library")
    engine = Engine(models, store, searcher, cache_bytes=settings.cache_mb * 2**20)
    engine.warm()
    runner = JobRunner(queue, models, engine, provider.get_tracer(_TRACER))
    is_alone = cores() == 1  # then nothing gets done sooner by doing it beside
    scribe = Scribe(settings, store)
    elsewhere = None if is_alone else scribe.write
    writer = Writer(beside=not is_alone)
    worker = _worker(settings, queue, store, engine, runner, writer, elsewhere, provider)
    try:
        worker.start_beating()
        _log.info("ready", device=str(models.device), models=models.resident)
        worker.work(logging_level="WARNING")
    finally:
        with suppress(QueueDown):  # then there is nothing to leave
            queue.retract(worker.name)
        scribe.close()
        tracing.close(provider)


def _worker(
    settings: Settings,
    queue: JobQueue,
    store: Store,
    engine: Engine,
    runner: JobRunner,
    writer: Writer,
    elsewhere: Writing | None,
    provider: TracerProvider,
) -> ResidentWorker:
    models, tracer = engine.models, provider.get_tracer(_TRACER)
    name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"

    def served() -> tuple[str, ...]:
        return (*models.served, OBJECT_FINDER)

    def resident() -> tuple[str, ...]:
        return (*models.resident, OBJECT_FINDER)  # which is small, and loaded where it is needed

    announced: set[str] = set()

    def announce() -> None:
        view = WorkerView(
            name,
            os.getpid(),
            socket.gethostname(),
            str(models.device),
            models.resident,
            memory_bytes(models),
            served(),
        )
        queue.announce(view)
        announced.clear()
        announced.update(view.models)

    def tell(job: Job | None) -> None:
        with suppress(QueueDown):  # it is said again with the next job
            queue.note_doing(name, _doing(job) if job else None)
            if announced != {*models.resident}:  # others leave jobs to us, or us to them, by it
                announce()

    def run(job_id: str) -> None:
        runner.run([job_id, *worker.take_beside()], worker.serve_people)

    def run_chunk(batch_id: str, model: str, numbers: list[int]) -> None:
        left = worker.job_in_hand.retries_left
        is_retried = left != CHUNK_RETRIES
        chunks.run(batch_id, model, numbers, is_retried=is_retried, is_last_try=not left)

    def give_up(jobs: Sequence[Job]) -> None:
        """One that takes too long alone is to blame; of several, each comes back and goes alone."""
        queue.retract(name)
        if len(jobs) == 1 and jobs[0].func_name == FUNCTION:
            runner.give_up(jobs[0].id, jobs[0].timeout or 0)
            tracing.close(provider)  # the process ends without `serve` coming to it

    def run_import(import_id: str) -> None:
        importer.run(import_id)

    def sweep() -> None:
        store.sweep()
        importer.sweep()

    def serve_people() -> None:
        worker.serve_people()

    direct = DirectRunner(engine, serve_people)
    functions: dict[str, Callable[..., object]] = {
        FUNCTION: run,
        CHUNK_FUNCTION: run_chunk,
        IMPORT_FUNCTION: run_import,
        MANIPULATE: direct.manipulate,
        GENERATE: direct.generate,
    }
    worker = ResidentWorker(
        [INTERACTIVE, BATCH],
        name=name,
        connection=queue.connection,
        job_class=job_class(functions),
        queue_class=routed_queue(queue, served, resident),
        announce=announce,
        tell=tell,
        gather=Gatherer(queue, most=min(settings.batch_size, FEW)),  # each waits for all of a pass
        give_up=give_up,
        tidy=models.drop_absent,
        sweep=sweep,
    )
    chunks = ChunkRunner(
        Batches.from_settings(settings),
        queue,
        engine,
        writer,
        tracer,
        elsewhere=elsewhere,
        sizes=PassSizes(settings.batch_size),
        limited=lambda: worker.limit_step(settings.job_timeout_s),
        between=worker.serve_people,
        is_stopping=lambda: worker.is_stopping,
    )
    importer = Importer(
        Imports.from_settings(settings),
        store,
        models,
        settings.checkpoints,
        between=worker.serve_people,
        announce=announce,
        is_stopping=lambda: worker.is_stopping,
    )
    return worker


def _doing(job: Job) -> Doing:
    """A job by its id, a batch by its own. What others put in the queue may be anything at all: it
    is refused when it is done, and must not end the worker before that.
    """
    with suppress(DeserializationError, IndexError):
        if job.func_name == CHUNK_FUNCTION:
            return Doing("batch", str(job.args[0]))
        if job.func_name == IMPORT_FUNCTION:
            return Doing("import", job.id)
        if job.func_name == FUNCTION:
            return Doing("job", job.id)
    return Doing("direct", job.id)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
