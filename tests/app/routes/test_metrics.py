"""What Prometheus scrapes, and that the dashboard asks for nothing else."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from app.main import create_app
from app.settings import Settings
from models.registry import Task
from tests.app.conftest import serving
from worker.batch_records import Item
from worker.batches import Batches
from worker.messages import Failure, Request, Result
from worker.outbox import Delivery, DeliveryStatus, Outbox
from worker.queue import JobQueue, Terms, WorkerView

DASHBOARD = Path(__file__).resolve().parents[3] / "deploy" / "grafana-dashboard.json"
MODEL = "tagan-flowers-64"
METRIC = re.compile(r"\b(?:wordbrush|process)_\w+")
REQUEST = Request(Task.GENERATE, MODEL, "a flower")
REFUSED = Item("1", None, Failure("The line cannot be used", "no caption"))

Finish = Callable[[str], Result]


def scrape(client: httpx.Client) -> dict[str, Metric]:
    text = client.get("/metrics").raise_for_status().text
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(family: Metric) -> dict[tuple[str, ...], float]:
    """By the labels' values, in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for sample in family.samples
    }


def test_the_figures_are_those_of_the_jobs_the_queue_and_the_workers(
    client: httpx.Client,
    web_settings: Settings,
    queue: JobQueue,
    warm_worker: WorkerView,
    finish: Finish,
) -> None:
    second = replace(warm_worker, name="w2", models=(MODEL,), memory_bytes={"resident": 1000})
    queue.announce(second)
    finish(queue.submit(REQUEST))
    queue.submit(REQUEST, batch=True)
    Batches.from_settings(web_settings).submit([REFUSED])
    queue.note_load(MODEL, 0.2)
    found = scrape(client)
    assert values(found["wordbrush_jobs"]) == {(MODEL, "succeeded"): 1}
    assert values(found["wordbrush_batch_items"]) == {("", "failed"): 1}
    # A worker is played by hand here, and the job that it "finished" is still in the queue.
    assert values(found["wordbrush_queue_depth"]) == {("interactive",): 1, ("batch",): 1}
    assert values(found["wordbrush_workers"]) == {("cpu",): 2}
    assert values(found["wordbrush_model_workers"])[(MODEL,)] == 2
    assert values(found["wordbrush_worker_memory_bytes"]) == {("resident", "w2"): 1000}
    for name in ("queue_wait_seconds", "inference_seconds", "batch_size", "model_load_seconds"):
        family = found[f"wordbrush_{name}"]
        assert family.type == "histogram"
        [count] = [s.value for s in family.samples if s.name.endswith("_count")]
        assert count == 1


def test_two_web_processes_tell_the_same_and_not_parts_of_it(
    client: httpx.Client, web_settings: Settings, queue: JobQueue, finish: Finish
) -> None:
    finish(queue.submit(REQUEST))
    first = scrape(client)["wordbrush_jobs"]
    with serving(create_app(web_settings)) as address, httpx.Client(base_url=address) as other:
        second = scrape(other)["wordbrush_jobs"]
    assert values(first) == values(second) == {(MODEL, "succeeded"): 1}


def test_without_the_queue_server_a_scrape_fails_and_tells_no_zeros(
    web_settings: Settings, tmp_path: Path
) -> None:
    away = web_settings.model_copy(update={"redis_url": f"unix://{tmp_path}/away"})
    with serving(create_app(away)) as address:
        assert httpx.get(f"{address}/metrics").status_code == 503


def test_the_dashboard_names_only_metrics_and_labels_that_exist(
    client: httpx.Client,
    web_settings: Settings,
    queue: JobQueue,
    warm_worker: WorkerView,
    finish: Finish,
) -> None:
    Batches.from_settings(web_settings).submit([REFUSED])
    queue.announce(replace(warm_worker, memory_bytes={"resident": 1}))
    finish(queue.submit(REQUEST))
    queue.note_load(MODEL, 0.2)
    told = queue.submit(REQUEST, terms=Terms(webhook="https://example.org/"))
    outbox = Outbox(web_settings.redis_url)
    outbox.settle(f"job:{told}", Delivery("https://example.org/"), DeliveryStatus.DELIVERED)
    samples = [sample for family in scrape(client).values() for sample in family.samples]
    names = {sample.name for sample in samples}
    labels = {label for sample in samples for label in sample.labels}
    panels = json.loads(DASHBOARD.read_text())["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(expressions) >= 10
    for expression in expressions:
        named = METRIC.findall(expression)
        assert named, expression
        assert set(named) <= names, expression
        for listed in re.findall(r"by \(([^)]*)\)", expression):
            assert set(re.split(r",\s*", listed)) <= labels, expression
    asked_for = {name for e in expressions for name in re.findall(r"\bwordbrush_\w+", e)}
    families = {family for family in scrape(client) if family.startswith("wordbrush_")}
    assert all(any(name.startswith(family) for name in asked_for) for family in families)


def test_the_dashboard_finds_its_scrape_job_also_where_nothing_was_done_and_no_worker_lives(
    client: httpx.Client,
) -> None:
    variables = json.loads(DASHBOARD.read_text())["templating"]["list"]
    [asked] = re.findall(r"label_values\((\w+), job\)", json.dumps(variables))
    assert scrape(client)[asked].samples


def test_every_panel_asks_for_the_scrape_job_that_was_chosen_and_no_other() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    assert "job" in {variable["name"] for variable in dashboard["templating"]["list"]}
    for panel in dashboard["panels"]:
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            selectors = re.findall(rf"(?:{METRIC.pattern})(\{{[^}}]*\}})?", target["expr"])
            assert set(selectors) == {'{job=~"$job"}'}, (panel["title"], target["expr"])


def test_every_figure_of_the_service_is_read_once_however_many_web_processes_tell_it() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    for panel in panels:
        for target in panel["targets"]:
            for before, name in re.findall(r"(.{0,40})\b(wordbrush_\w+)", target["expr"]):
                assert "max without (instance, pod) (" in before, (panel["title"], name)
