"""Receivers hear how jobs and batches ended: real receivers, real processes, one of them killed."""

import hmac
import json
import os
import subprocess
import sys
from base64 import b64decode, b64encode
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event, Thread
from time import time

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from structlog.testing import capture_logs

from app.main import create_app
from app.outbound import Outbound
from app.settings import Settings
from app.webhooks import Secret, Sender
from models.registry import Task
from tests.app.conftest import picture, serving
from tests.app.receiver import Arrival, Receiver, answer, receiving
from tests.processes import until
from wordbrush import Client
from worker.messages import Failure, Request
from worker.outbox import DUE, Delivery, DeliveryStatus, Outbox
from worker.queue import JobQueue, Terms
from worker.settings import BadSettings

_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
_TOKEN = "zq-token-7"
_REQUEST = Request(Task.MANIPULATE, "tagan-flowers-64", "yellow petals", seed=7)


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """Settings of a web process that may call this machine."""
    given = web_settings.model_dump() | {
        "outbound_hosts": ("127.0.0.1",),
        "webhook_secret": _SECRET,
        "webhook_timeout_s": 1.0,
    }
    return Settings(**given)


@pytest.fixture
def outbox(web_settings: Settings) -> Outbox:
    return Outbox(web_settings.redis_url)


@pytest.fixture
def sender(web_settings: Settings, outbox: Outbox) -> Sender:
    """One that tries again at once, for an hour."""
    return Sender(
        outbox,
        Outbound(allowed=["127.0.0.1", "localhost"]),
        lambda subject: f'{{"about": "{subject}"}}',
        Secret(web_settings),
        timeout_s=1.0,
        patience_s=3600,
        first_delay_s=0.0,
    )


def url_of(receiver: Receiver, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{receiver.port}/hook?token={_TOKEN}"


def is_ours(arrival: Arrival, secret: str) -> bool:
    """As a receiver without a library does it."""
    key = b64decode(secret.removeprefix("whsec_"))
    sent_at = arrival.headers["webhook-timestamp"]
    signed = f"{arrival.headers['webhook-id']}.{sent_at}.".encode() + arrival.body
    expected = "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()
    is_recent = abs(time() - int(sent_at)) < 300
    return is_recent and hmac.compare_digest(expected, arrival.headers["webhook-signature"])


def ended(queue: JobQueue, url: str) -> str:
    """The subject that is a job which has ended."""
    job_id = queue.submit(_REQUEST, terms=Terms(webhook=url))
    queue.finish(job_id, Failure("The picture is gone", "it was kept for a day"))
    return f"job:{job_id}"


def test_a_receiver_hears_how_a_job_ended_and_can_tell_who_says_so(
    web_settings: Settings, queue: JobQueue
) -> None:
    files = {"image": ("a.jpg", picture())}
    with receiving() as receiver, serving(create_app(web_settings)) as address:
        wish = {"caption": "yellow petals", "webhook": url_of(receiver)}
        asked = httpx.post(f"{address}/manipulate", data=wish, files=files)
        assert asked.status_code == 202
        assert asked.json()["webhook"] == {"status": "waiting", "attempts": 0, "problem": None}
        queue.finish(asked.json()["id"], Failure("The picture is gone", "it was kept for a day"))
        until(lambda: receiver.arrivals)
        job_at = f"{address}/jobs/{asked.json()['id']}"
        until(lambda: httpx.get(job_at).json()["webhook"]["status"] == "delivered")
        job = httpx.get(job_at)
    [arrival] = receiver.arrivals
    event = Webhook(_SECRET).verify(arrival.body, arrival.headers)
    assert is_ours(arrival, _SECRET)
    assert event["type"] == "job.failed"
    assert event["data"] == {k: v for k, v in job.json().items() if k != "webhook"}
    assert arrival.headers["webhook-id"] == f"job_{job.json()['id']}"
    assert _TOKEN not in job.text + arrival.body.decode()


def test_a_receiver_hears_of_a_batch_and_of_a_cancel(
    web_settings: Settings, queue: JobQueue
) -> None:
    rows = {"items": ("items.csv", "caption,image_id\nyellow petals,gone\n")}
    with receiving() as receiver, serving(create_app(web_settings)) as address:
        wish = {"webhook": url_of(receiver)}
        batch = httpx.post(f"{address}/batches", data=wish, files=rows).json()
        httpx.post(address + batch["links"]["cancel"])
        job_id = queue.submit(_REQUEST, terms=Terms(webhook=url_of(receiver)))
        httpx.post(f"{address}/jobs/{job_id}/cancel")
        until(lambda: len(receiver.arrivals) == 2)
    events = [json.loads(arrival.body) for arrival in receiver.arrivals]
    told = {event["type"]: event["data"]["id"] for event in events}
    assert told == {"batch.canceled": batch["id"], "job.canceled": job_id}


def test_a_receiver_hears_of_what_waited_too_long(web_settings: Settings, queue: JobQueue) -> None:
    impatient = web_settings.model_copy(update={"upload_ttl_s": 1})
    rows = {"items": ("items.csv", "caption,image_id\nyellow petals,gone\n")}
    with receiving() as receiver, serving(create_app(impatient)) as address:
        wish = {"webhook": url_of(receiver)}
        batch = httpx.post(f"{address}/batches", data=wish, files=rows).json()
        terms = Terms(webhook=url_of(receiver))
        job_id = JobQueue.from_settings(impatient).submit(_REQUEST, terms=terms)
        until(lambda: not queue.connection.keys("rq:job:*"))
        for subject in (f"batch:{batch['id']}", f"job:{job_id}"):
            queue.connection.zadd(DUE, {subject: 0})  # else in a minute
        until(lambda: len(receiver.arrivals) == 2)
    events = [json.loads(arrival.body) for arrival in receiver.arrivals]
    told = {event["type"]: event["data"] for event in events}
    assert told["job.expired"]["id"] == job_id
    assert told["batch.expired"]["id"] == batch["id"]
    counts = told["batch.expired"]["request_counts"]
    assert (counts["total"], counts["expired"], counts["pending"]) == (1, 1, 0)


def test_what_is_not_taken_is_sent_again_and_is_the_same(
    sender: Sender, queue: JobQueue, outbox: Outbox
) -> None:
    answers = iter([500, 302, 204])
    with receiving(lambda handler, _: answer(handler, next(answers))) as receiver:
        subject = ended(queue, url_of(receiver))
        for attempts, status in ((1, "waiting"), (2, "waiting"), (3, "delivered")):
            assert outbox.take(1, for_s=60) == [subject]
            sender.deliver(subject)
            delivery = queue.read(subject[4:]).delivery
            assert delivery is not None
            assert (delivery.attempts, delivery.status) == (attempts, status)
    messages = {(arrival.headers["webhook-id"], arrival.body) for arrival in receiver.arrivals}
    assert len(messages) == 1
    assert outbox.take(1, for_s=60) == []


@pytest.mark.parametrize(("status", "patience_s"), [(410, 3600), (500, -1)])
def test_a_receiver_that_wants_no_more_or_never_takes_it_is_given_up(
    sender: Sender, queue: JobQueue, outbox: Outbox, status: int, patience_s: int
) -> None:
    sender._patience_s = patience_s
    with receiving(lambda handler, _: answer(handler, status)) as receiver:
        subject = ended(queue, url_of(receiver))
        sender.deliver(subject)
    delivery = queue.read(subject[4:]).delivery
    assert delivery is not None
    assert delivery.status is DeliveryStatus.GIVEN_UP
    assert delivery.problem == f"the receiver answered {status}"
    assert outbox.take(1, for_s=60) == []
    assert dict(queue.tally().webhooks()) == {"given_up": 1}


def test_who_was_given_up_is_listed_and_can_be_told_again(
    web_settings: Settings, sender: Sender, queue: JobQueue, outbox: Outbox
) -> None:
    answers = iter([410, 410, 410, 204])
    with (
        receiving(lambda handler, _: answer(handler, next(answers))) as receiver,
        serving(create_app(web_settings)) as address,
        Client(address) as client,
    ):
        waiting = queue.submit(_REQUEST, terms=Terms(webhook=url_of(receiver)))
        subjects = [ended(queue, url_of(receiver)) for _ in range(3)]
        until(lambda: outbox.given_up(limit=3)[0][2:])
        listed = httpx.get(f"{address}/webhooks", params={"limit": 2})
        assert _TOKEN not in listed.text
        page = listed.json()
        rest = httpx.get(f"{address}/webhooks", params={"cursor": page["next"]}).json()
        ids = [one["id"] for one in page["webhooks"] + rest["webhooks"]]
        assert (len(page["webhooks"]), rest["next"]) == (2, None)
        assert sorted(ids) == sorted(subject.replace(":", "_") for subject in subjects)
        one = page["webhooks"][0]
        assert (one["host"], one["attempts"]) == ("127.0.0.1", 1)
        assert one["problem"] == "the receiver answered 410"
        assert httpx.get(address + one["links"]["subject"]).json()["webhook"]["attempts"] == 1

        client.resend_webhook(one["id"])
        until(lambda: len(receiver.arrivals) == 4)
        until(lambda: client.job(one["id"][4:]).webhook["status"] == "delivered")
        assert [left.id for left in client.webhooks()] == [i for i in ids if i != one["id"]]
        messages = {a.body for a in receiver.arrivals if a.headers["webhook-id"] == one["id"]}
        assert len(messages) == 1
        for unknown, status in ((f"job_{waiting}", 409), ("job_nothing", 404), ("nothing", 422)):
            assert httpx.post(f"{address}/webhooks/{unknown}/resend").status_code == status
    queue.connection.delete(f"wordbrush:{subjects[0]}", f"wordbrush:{subjects[1]}")
    assert len(outbox.given_up()[0]) <= 1


def test_a_receiver_that_hangs_leaves_room_for_others(sender: Sender, queue: JobQueue) -> None:
    is_over, stop = Event(), Event()

    def hang(*_: object) -> None:
        is_over.wait(20)

    with receiving(hang) as hanging, receiving() as quick:
        for _ in range(20):
            ended(queue, url_of(hanging))
        subject = ended(queue, url_of(quick, "localhost"))
        thread = Thread(target=sender.run, args=(stop,))
        thread.start()
        try:
            until(lambda: quick.arrivals, timeout_s=15)
        finally:
            stop.set()
            is_over.set()
            thread.join()
        assert json.loads(quick.arrivals[0].body) == {"about": subject}


def test_whatever_breaks_is_an_attempt_that_failed_and_the_sender_goes_on(
    sender: Sender, queue: JobQueue
) -> None:
    def resolve(host: str, port: int) -> list[str]:
        if host == "127.0.0.1":
            raise OverflowError(f"of {_TOKEN}")
        return ["127.0.0.1"]

    sender._outbound = Outbound(allowed=["127.0.0.1", "localhost"], resolve=resolve)
    with receiving() as receiver, capture_logs() as logs:
        broken = ended(queue, url_of(receiver))
        stop = Event()
        thread = Thread(target=sender.run, args=(stop,))
        thread.start()
        try:
            until(lambda: (queue.read(broken[4:]).delivery or Delivery("")).attempts >= 2)
            ended(queue, url_of(receiver, "localhost"))
            until(lambda: receiver.arrivals)
        finally:
            stop.set()
            thread.join()
    delivery = queue.read(broken[4:]).delivery
    assert delivery is not None
    assert delivery.problem == "something broke on the server"
    [fault, *_] = [line for line in logs if line["event"] == "webhook broke"]
    assert (fault["fault"], fault["subject"]) == ("OverflowError", broken)
    assert "test_webhooks.py:" in fault["where"]
    assert _TOKEN not in repr(logs)


def test_another_secret_does_not_verify(sender: Sender, queue: JobQueue) -> None:
    with receiving() as receiver:
        sender.deliver(ended(queue, url_of(receiver)))
    [arrival] = receiver.arrivals
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_AAAA").verify(arrival.body, arrival.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(_SECRET).verify(arrival.body + b" ", arrival.headers)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://169.254.169.254/latest/meta-data", "refused-address"),
        ("http://localhost/hook", "refused-address"),
        ("http://[::1]/hook", "refused-address"),
        ("https://nowhere.invalid/hook", "no-answer"),
        ("file:///etc/passwd", "invalid-request"),
        ("http://xn--/", "refused-address"),
        ("http://127.0.0.1:99999/", "refused-address"),
    ],
)
def test_an_address_that_may_not_be_called_is_refused_and_nothing_is_queued(
    client: httpx.Client, queue: JobQueue, url: str, problem: str
) -> None:
    photo = {"image": ("a.jpg", picture())}
    rows = {"items": ("items.csv", "caption,image_id\nyellow petals,gone\n")}
    for path, files in (("/manipulate", photo), ("/batches", rows)):
        answer = client.post(path, data={"caption": "yellow", "webhook": url}, files=files)
        assert answer.status_code == 422
        assert answer.json()["type"] == f"/docs#problem-{problem}"
        assert url not in answer.text
    assert queue.depth() == 0


def test_a_service_that_sends_none_takes_none(web_settings: Settings, queue: JobQueue) -> None:
    silent = Settings(**web_settings.model_dump() | {"webhooks": False})
    with receiving() as receiver, serving(create_app(silent)) as address:
        wish = {"caption": "yellow petals", "webhook": url_of(receiver)}
        files = {"image": ("a.jpg", picture())}
        refused = httpx.post(f"{address}/manipulate", data=wish, files=files)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "webhook"
    assert queue.depth() == 0


def test_a_sender_that_is_killed_loses_nothing_and_no_log_has_the_address(
    web_settings: Settings,
    queue: JobQueue,
    processes: list[subprocess.Popen[bytes]],
    free_port: int,
    data_dir: Path,
) -> None:
    log = data_dir / "web.log"

    def start() -> subprocess.Popen[bytes]:
        own = {
            "WORDBRUSH_OUTBOUND_HOSTS": "127.0.0.1",
            "WORDBRUSH_WEBHOOK_SECRET": _SECRET,
            "WORDBRUSH_WEBHOOK_TIMEOUT_S": "1",
            "WORDBRUSH_PORT": str(free_port),
        }
        command = [sys.executable, "-m", "app", "web"]
        environment = os.environ | web_settings.to_environment() | own
        with log.open("ab") as file:
            processes.append(subprocess.Popen(command, env=environment, stderr=file))
        return processes[-1]

    is_over = Event()

    def hang_once(handler: BaseHTTPRequestHandler, _: Arrival) -> None:
        if len(receiver.arrivals) == 1:
            is_over.wait(60)
        else:
            answer(handler, 204)

    with receiving(hang_once) as receiver:
        first = start()
        subject = ended(queue, url_of(receiver))
        until(lambda: receiver.arrivals)
        first.kill()
        start()
        until(lambda: len(receiver.arrivals) == 2)
        until(lambda: dict(queue.tally().webhooks()).get("delivered"))
        is_over.set()
    one, again = receiver.arrivals
    assert (one.headers["webhook-id"], one.body) == (again.headers["webhook-id"], again.body)
    assert json.loads(one.body)["data"]["id"] == subject[4:]
    assert "webhook delivered" in log.read_text()
    assert _TOKEN not in log.read_text()


def test_a_secret_is_made_once_and_is_shown_by_a_command(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    secret = Secret(settings).read()
    assert secret.startswith("whsec_")
    assert Secret(settings).read() == secret
    [file] = data_dir.glob("webhook*")
    assert file.stat().st_mode & 0o777 == 0o600
    command = [sys.executable, "-m", "app", "webhook-secret", "--data-dir", str(data_dir)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == secret


@pytest.mark.parametrize("secret", ["secret", "whsec_", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_is_refused(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDBRUSH_WEBHOOK_SECRET", secret)
    with pytest.raises(BadSettings, match=r"^WORDBRUSH_WEBHOOK_SECRET: ") as refused:
        Settings()
    assert f"'{secret}'" not in str(refused.value)  # it may be a slip in a real one


@pytest.mark.parametrize("name", ["WORDBRUSH_WEBHOOK_TIMEOUT_S", "WORDBRUSH_IMAGE_URL_TIMEOUT_S"])
def test_a_time_without_an_end_is_no_timeout(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "inf")
    with pytest.raises(BadSettings, match=f"^{name}: "):
        Settings()
