"""`wordbrush up` on real processes: it serves, mends what dies, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
import pytest
import redis
from PIL import Image

from models.registry import Task
from tests.processes import is_alive, until
from tests.tiny import write_tiny_model
from worker.messages import Request
from worker.queue import JobQueue, Status
from worker.settings import Settings
from worker.store import Store

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Up:
    """A running `wordbrush up`."""

    process: subprocess.Popen[str]
    data_dir: Path
    address: str

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.data_dir)

    @property
    def children(self) -> dict[str, int]:
        """Process ids by what they run."""
        pid = self.process.pid
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {_role(int(child)): int(child) for child in pids}

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


def _role(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return "gone"  # since it was listed
    roles = {"app.guard": "guard", "-server": "queue", "-m worker": "worker", "-m app web": "web"}
    return next((role for text, role in roles.items() if text in command), command)


def command(data_dir: Path, *more: str) -> tuple[list[str], dict[str, str]]:
    environment = {k: v for k, v in os.environ.items() if not k.endswith("REDIS_URL")}
    environment["WORDBRUSH_CHECKPOINTS"] = str(data_dir / "checkpoints")
    return [sys.executable, "-m", "app", "up", "--data-dir", str(data_dir), *more], environment


@contextmanager
def running(data_dir: Path) -> Iterator[Up]:
    """`wordbrush up` from ready to ended, with whatever it started."""
    arguments, environment = command(data_dir, "--port", "0")
    with subprocess.Popen(
        arguments, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if "ready" in line)
            address = re.search(r"http://\S+", line)
            assert address is not None
            yield Up(process, data_dir, address[0])
        finally:
            process.kill()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One for the tests that leave it running."""
    data_dir = tmp_path_factory.mktemp("up")
    write_tiny_model(data_dir / "checkpoints")
    with running(data_dir) as up:
        yield up


@pytest.fixture
def own_up(data_dir: Path) -> Iterator[Up]:
    """One for a test that ends it."""
    write_tiny_model(data_dir / "checkpoints")
    with running(data_dir) as up:
        yield up


def photo() -> bytes:
    data = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(data, "PNG")
    return data.getvalue()


def submit(settings: Settings, variations: int = 1) -> str:
    image_id = Store.from_settings(settings).put(photo(), kind="uploads", suffix=".png")
    request = Request(
        Task.MANIPULATE,
        "tagan-flowers-16",
        "a red flower",
        image_id=image_id,
        variations=variations,
    )
    return JobQueue.from_settings(settings).submit(request)


def test_it_serves_an_edit_over_http(up: Up) -> None:
    answer = httpx.post(
        f"{up.address}/manipulate",
        files={"image": ("photo.png", photo())},
        data={"caption": "a red flower", "model": "tagan-flowers-16"},
        headers={"Prefer": "wait=30"},
        timeout=60,
    )
    assert answer.status_code == 200
    assert answer.json()["status"] == "succeeded"


def test_each_part_is_a_child_of_its_own(up: Up) -> None:
    assert up.children.keys() == {"guard", "queue", "worker", "web"}


def test_the_queue_server_is_set_to_lose_nothing(up: Up) -> None:
    with redis.Redis.from_url(up.settings.redis_url) as client:
        kept = {k: client.config_get(k)[k] for k in ("appendonly", "appendfsync")}
        assert kept == {"appendonly": "yes", "appendfsync": "everysec"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("port") == {"port": "0"}


def test_a_second_up_on_the_data_directory_says_so_and_exits(up: Up) -> None:
    arguments, environment = command(up.data_dir, "--port", "0")
    second = subprocess.run(
        arguments, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 1
    assert f"already runs on {up.data_dir}" in second.stderr
    assert up.address in second.stderr
    assert up.is_ready()


def test_a_port_in_use_is_said_to_be_in_use(up: Up, data_dir: Path) -> None:
    port = up.address.rpartition(":")[2]
    arguments, environment = command(data_dir, "--port", port)
    second = subprocess.run(
        arguments, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use" in second.stderr


@pytest.mark.parametrize("role", ["web", "worker", "queue"])
def test_a_part_that_is_killed_comes_back_and_work_goes_on(up: Up, role: str) -> None:
    before = up.children[role]
    os.kill(before, signal.SIGKILL)
    until(lambda: up.children.get(role, before) != before)
    until(up.is_ready)
    view = JobQueue.from_settings(up.settings).wait(submit(up.settings), 90)
    assert view.status is Status.SUCCEEDED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_stop_ends_everything_in_good_order(own_up: Up, number: int) -> None:
    children = own_up.children
    own_up.process.send_signal(number)
    assert own_up.process.wait(60) == 0
    assert not [role for role, pid in children.items() if is_alive(pid)]


def test_a_killed_up_leaves_no_orphan_and_the_next_one_does_its_jobs(data_dir: Path) -> None:
    write_tiny_model(data_dir / "checkpoints")
    with ExitStack() as stack:
        first = stack.enter_context(running(data_dir))
        children = first.children
        jobs = [submit(first.settings, variations=8) for _ in range(10)]
        first.process.kill()
        second = stack.enter_context(running(data_dir))  # at once, while the first is swept up
        until(lambda: not any(map(is_alive, children.values())), 10)
        queue = JobQueue.from_settings(second.settings)
        assert {queue.wait(job, 60).status for job in jobs} == {Status.SUCCEEDED}


def test_without_its_guard_it_stops_rather_than_run_unguarded(own_up: Up) -> None:
    children = own_up.children
    os.kill(children["guard"], signal.SIGKILL)
    assert own_up.process.wait(60) == 1
    assert not [role for role, pid in children.items() if is_alive(pid)]


def test_it_uses_the_queue_that_redis_url_names(data_dir: Path, valkey_url: str) -> None:
    write_tiny_model(data_dir / "checkpoints")
    arguments, environment = command(data_dir, "--port", "0")
    with subprocess.Popen(
        arguments,
        env=environment | {"REDIS_URL": valkey_url},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert any("ready" in line for line in process.stdout)
        assert JobQueue(valkey_url).ready_models() == {"tagan-flowers-16"}
        assert not (data_dir / "queue").exists()
        process.terminate()
        assert process.wait(60) == 0
