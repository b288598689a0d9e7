import os
import socket
import subprocess
import sys
from pathlib import Path

from worker.queue import JobQueue, WorkerView
from worker.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def ask(settings: Settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "worker.alive"],
        cwd=ROOT,
        env=os.environ | settings.to_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_host_is_healthy_when_a_worker_on_it_is_ready(settings: Settings) -> None:
    queue = JobQueue.from_settings(settings)
    queue.announce(WorkerView("w1", 1, "another-host", "cpu", ()))
    answer = ask(settings)
    assert answer.returncode == 1
    assert "none on this host" in answer.stderr
    queue.announce(WorkerView("w2", 1, socket.gethostname(), "cpu", ()))
    assert ask(settings).returncode == 0


def test_without_the_queue_server_it_is_not(settings: Settings, tmp_path: Path) -> None:
    away = settings.model_copy(update={"redis_url": f"unix://{tmp_path}/away"})
    answer = ask(away)
    assert answer.returncode == 1
    assert "can't be reached" in answer.stderr
