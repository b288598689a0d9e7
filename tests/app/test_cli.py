"""The command `wordbrush` and its sub-commands, as a person types them."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import torch

from tests.processes import interrupted_at_import, until
from tests.tiny import write_tiny_model
from worker.queue import JobQueue

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(data_dir: Path, valkey_url: str) -> dict[str, str]:
    folder = data_dir / "checkpoints"
    write_tiny_model(folder)
    return os.environ | {
        "REDIS_URL": valkey_url,
        "WORDBRUSH_CHECKPOINTS": str(folder),
        "WORDBRUSH_DATA_DIR": str(data_dir),
    }


def wordbrush(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_models_lists_the_checkpoints(environment: dict[str, str]) -> None:
    answer = wordbrush(environment, "models")
    assert answer.returncode == 0
    assert "tagan-flowers-16" in answer.stdout


def test_models_says_when_there_are_none(environment: dict[str, str], tmp_path: Path) -> None:
    answer = wordbrush(environment | {"WORDBRUSH_CHECKPOINTS": str(tmp_path)}, "models")
    assert "there is no checkpoint" in answer.stdout


def test_doctor_is_content_with_a_healthy_installation(environment: dict[str, str]) -> None:
    answer = wordbrush(environment, "doctor", "--port", "0")
    assert answer.returncode == 0
    assert "broken" not in answer.stdout


def test_doctor_fails_where_something_is_broken(
    environment: dict[str, str], tmp_path: Path
) -> None:
    answer = wordbrush(environment | {"WORDBRUSH_CHECKPOINTS": str(tmp_path)}, "doctor")
    assert answer.returncode == 1
    assert "broken checkpoints" in " ".join(answer.stdout.split())


def test_without_a_word_it_tells_the_words_it_knows(environment: dict[str, str]) -> None:
    answer = wordbrush(environment)
    for word in ("up", "web", "worker", "models", "import-weights", "doctor"):
        assert word in answer.stdout + answer.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "eight"])
def test_a_port_that_is_none_is_refused(environment: dict[str, str], port: str) -> None:
    answer = wordbrush(environment, "up", "--port", port)
    assert answer.returncode == 2
    assert "--port" in answer.stderr


@pytest.mark.parametrize("command", [["up"], ["web"], ["worker"], ["models"], ["keys", "list"]])
def test_a_setting_that_can_not_be_is_refused_in_a_line(
    environment: dict[str, str], command: list[str]
) -> None:
    answer = wordbrush(environment | {"WORDBRUSH_BATCH_SIZE": "many"}, *command)
    assert answer.returncode == 2
    assert answer.stderr.startswith("wordbrush: WORDBRUSH_BATCH_SIZE: Input should be a valid int")
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["up", "web", "worker"])
def test_a_collector_without_what_would_send_to_it_is_refused_at_once(
    environment: dict[str, str], command: str
) -> None:
    code = (
        "import sys\n"
        "sys.modules.update({'opentelemetry.sdk.resources': None, 'torch': None})\n"
        f"sys.argv[1:] = ['{command}']\n"
        "from app.cli import main; main()"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr == (
        "wordbrush: OTEL_EXPORTER_OTLP_ENDPOINT is set, but opentelemetry.sdk.resources is not "
        "installed: pip install 'wordbrush[otel]'\n"
    )


@pytest.mark.parametrize("command", [["up"], ["webhook-secret"]])
def test_a_data_directory_that_can_not_be_written_is_said_in_a_line(
    environment: dict[str, str], command: list[str]
) -> None:
    answer = wordbrush(environment, *command, "--data-dir", "/proc/nowhere")
    assert answer.returncode == 1
    assert answer.stderr == "wordbrush: /proc/nowhere: No such file or directory\n"


@pytest.mark.parametrize("command", ["up", "models"])
@pytest.mark.parametrize("moment", ["click", "httpx", "app.cli"])
def test_ctrl_c_is_heard_quietly_while_the_command_is_still_being_loaded(
    environment: dict[str, str], command: str, moment: str
) -> None:
    said, status = interrupted_at_import(["app", command], moment, environment)
    assert said == []
    assert status == 130


def test_no_command_imports_torch(environment: dict[str, str]) -> None:
    code = "import sys, app.cli, app.supervisor, app.doctor; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_web_and_worker_alone_make_a_service_together(
    environment: dict[str, str],
    valkey_url: str,
    free_port: int,
    processes: list[subprocess.Popen[bytes]],
) -> None:
    for words in (["web", "--port", str(free_port)], ["worker"]):
        command = [sys.executable, "-m", "app", *words]
        processes.append(subprocess.Popen(command, cwd=ROOT, env=environment))
    until(JobQueue(valkey_url).ready_models)

    def is_ready() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{free_port}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    until(is_ready)


def test_a_worker_without_a_queue_says_so(environment: dict[str, str], tmp_path: Path) -> None:
    answer = wordbrush(environment | {"REDIS_URL": f"unix://{tmp_path}/away"}, "worker")
    assert answer.returncode == 1
    assert "the queue server can't be reached" in answer.stderr


def test_weights_that_are_not_the_systems_are_refused_with_a_list(
    environment: dict[str, str], tmp_path: Path
) -> None:
    torch.save({"ca_net.fc.weight": torch.zeros(1)}, tmp_path / "netG.pth")
    (tmp_path / "wiki.vec").write_text(f"bird {' '.join(['1'] * 300)}\n")
    files = [str(tmp_path / "netG.pth"), str(tmp_path / "wiki.vec")]
    answer = wordbrush(environment, "import-weights", *files, "--system=tagan", "--domain=birds")
    assert answer.returncode == 1
    assert "netG.pth does not fit: missing: " in answer.stderr
    assert "unexpected: ca_net.fc.weight" in answer.stderr
