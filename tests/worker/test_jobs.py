"""A job runs a function from the list and nothing else, and ends with what the engine says."""

from io import BytesIO

import pytest
import redis
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracer, StatusCode
from PIL import Image
from rq import Callback, Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs

from models.registry import Task
from worker.engine import Engine
from worker.jobs import JobRunner, NotAllowed, job_class
from worker.loading import ModelPool, choose_device
from worker.messages import Request
from worker.queue import JobQueue, QueueDown, Status
from worker.settings import Settings
from worker.store import Store


def double(number: int) -> int:
    return 2 * number


@pytest.fixture
def foreign(valkey_url: str) -> Queue:
    """The queue as somebody else sees it, who may put anything on it."""
    client = redis.Redis.from_url(valkey_url)
    return Queue("any", connection=client, serializer=JSONSerializer)


def taken(job: Job) -> Job:
    """The job as our worker gets to see it."""
    allowed = job_class({"double": double})
    return allowed.fetch(job.id, connection=job.connection, serializer=JSONSerializer)


def test_a_function_on_the_list_is_run(foreign: Queue) -> None:
    assert taken(foreign.enqueue_call("double", args=(21,))).perform() == 42


@pytest.mark.parametrize("name", ["os.system", "os.getcwd", "double.__call__", "__main__.double"])
def test_a_function_that_is_not_on_the_list_is_refused(foreign: Queue, name: str) -> None:
    with pytest.raises(NotAllowed, match=name):
        taken(foreign.enqueue_call(name, args=(21,))).perform()


def test_a_method_of_something_sent_along_is_refused(foreign: Queue) -> None:
    job = foreign.enqueue_call("double", args=(21,))
    job.instance = "text"
    job.save()
    with pytest.raises(NotAllowed):
        taken(job).perform()


def test_callbacks_and_webhooks_are_not_followed(foreign: Queue) -> None:
    anything = Callback("os.getcwd")
    job = taken(
        foreign.enqueue_call(
            "double", args=(1,), on_success=anything, on_failure=anything, on_stopped=anything
        )
    )
    assert (job.success_callback, job.failure_callback, job.stopped_callback) == (None,) * 3


@pytest.fixture
def queue(settings: Settings) -> JobQueue:
    return JobQueue.from_settings(settings)


@pytest.fixture
def runner(settings: Settings, store: Store, queue: JobQueue, tiny_model: str) -> JobRunner:
    pool = ModelPool(settings.checkpoints, choose_device("cpu"))
    return JobRunner(queue, pool, Engine(pool, store), NoOpTracer())


def test_a_failure_of_the_engine_becomes_the_jobs_error(
    runner: JobRunner, queue: JobQueue, tiny_model: str
) -> None:
    job = queue.submit(Request(Task.MANIPULATE, tiny_model, "red", image_id="gone"))
    runner.run([job])
    view = queue.read(job)
    assert view.status is Status.FAILED
    assert view.error is not None
    assert view.error.title == "The picture is gone"


def test_a_canceled_job_stays_canceled_when_it_is_run(
    runner: JobRunner, queue: JobQueue, tiny_model: str
) -> None:
    job = queue.submit(Request(Task.MANIPULATE, tiny_model, "red", image_id="gone"))
    queue.cancel(job)
    runner.run([job])
    view = queue.read(job)
    assert view.status is Status.CANCELED
    assert view.started_at is None


class Traced:
    """A runner whose spans are kept."""

    def __init__(self, settings: Settings, store: Store, queue: JobQueue) -> None:
        self._kept = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._kept))
        pool = ModelPool(settings.checkpoints, choose_device("cpu"))
        self.runner = JobRunner(queue, pool, Engine(pool, store), provider.get_tracer("test"))

    @property
    def span(self) -> ReadableSpan:
        [span] = self._kept.get_finished_spans()
        return span


@pytest.fixture
def traced(settings: Settings, store: Store, queue: JobQueue, tiny_model: str) -> Traced:
    return Traced(settings, store, queue)


def test_the_span_of_a_job_that_failed_is_an_error_with_its_reason(
    traced: Traced, queue: JobQueue, tiny_model: str
) -> None:
    traced.runner.run([queue.submit(Request(Task.MANIPULATE, tiny_model, "red", image_id="gone"))])
    assert traced.span.status.status_code is StatusCode.ERROR
    assert traced.span.status.description == "The picture is gone"
    assert (traced.span.attributes or {})["wordbrush.status"] == "failed"


def test_the_span_of_a_job_that_was_canceled_on_the_way_says_so_and_is_no_error(
    traced: Traced, queue: JobQueue, photo_id: str, tiny_model: str
) -> None:
    job = queue.submit(Request(Task.MANIPULATE, tiny_model, "red", image_id=photo_id))

    def cancel() -> None:
        queue.cancel(job)

    with capture_logs() as lines:
        traced.runner.run([job], between=cancel)
    assert queue.read(job).status is Status.CANCELED
    assert [line["status"] for line in lines] == ["canceled"]
    assert "reason" not in lines[0]
    assert traced.span.status.status_code is StatusCode.UNSET
    attributes = traced.span.attributes or {}
    assert attributes["wordbrush.status"] == "canceled"
    assert "wordbrush.reason" not in attributes


def test_the_span_of_a_job_whose_pass_broke_off_is_an_error(
    traced: Traced, queue: JobQueue, photo_id: str, tiny_model: str
) -> None:
    def fall_over() -> None:
        raise QueueDown("it starts again")

    job = queue.submit(Request(Task.MANIPULATE, tiny_model, "red", image_id=photo_id))
    with pytest.raises(QueueDown):
        traced.runner.run([job], between=fall_over)
    assert traced.span.status.status_code is StatusCode.ERROR


class DownForAMoment(JobQueue):
    """A queue whose server starts again while the engine is at work."""

    def has_ended(self, job_id: str) -> bool:
        raise QueueDown("it starts again")


def test_a_queue_that_is_away_while_the_engine_works_does_not_fail_the_job(
    settings: Settings, store: Store, tiny_model: str
) -> None:
    queue = DownForAMoment.from_settings(settings)
    pool = ModelPool(settings.checkpoints, choose_device("cpu"))
    image = BytesIO()
    Image.new("RGB", (32, 32)).save(image, "PNG")
    image_id = store.put(image.getvalue(), kind="uploads")
    job = queue.submit(Request(Task.MANIPULATE, tiny_model, "red", image_id=image_id))
    JobRunner(queue, pool, Engine(pool, store), NoOpTracer()).run([job])
    assert queue.read(job).status is Status.SUCCEEDED


def test_a_job_given_up_says_how_long_it_might_have_taken(
    runner: JobRunner, queue: JobQueue, tiny_model: str
) -> None:
    job = queue.submit(Request(Task.MANIPULATE, tiny_model, "red"))
    runner.give_up(job, 60)
    error = queue.read(job).error
    assert error is not None
    assert "60 s" in error.detail
