"""What deploys Wordbrush, read as text and held against the code that it names: Dockerfile,
docker-compose.yml, deploy/, docs/deploy.md.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml

from app import guard, probe, server, supervisor, webhooks
from app.main import create_app
from app.queue_server import find_server, write_config
from app.settings import Settings
from tests.app.conftest import serving
from worker import scribe, tracing
from worker.queue import JobQueue, WorkerView
from worker.settings import BadSettings
from worker.settings import Settings as SharedSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("web", "worker", "worker-gpu")
SAMPLE = (ROOT / "deploy" / "compose.env").read_text()
DEPLOY = (ROOT / "docs" / "deploy.md").read_text()
KUBERNETES = DEPLOY.partition("## Kubernetes")[2].partition("\n## ")[0]
UNIT = (ROOT / "deploy" / "wordbrush.service").read_text()

_BLOCKED = """
import sys
from importlib.abc import MetaPathFinder

class NotInstalled(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"no module named {{name}}", name=name)

sys.meta_path.insert(0, NotInstalled())
from app.main import create_app
from app.settings import Settings
import app.cli, app.server, app.supervisor, worker.alive
create_app(Settings()).openapi()
"""


def stages() -> dict[str, list[tuple[str, str]]]:
    """The Dockerfile's instructions by stage, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in text.splitlines():
        if not (match := re.match(r"([A-Z]+)\s+(.*)", line)):
            continue
        if match[1] == "FROM":
            name = match[2].split()[-1]
        found.setdefault(name, []).append((match[1], match[2]))
    return found


def lineage(stage: str) -> list[tuple[str, str]]:
    """A stage's instructions after those of the stages that it builds on."""
    all_stages = stages()
    base = all_stages[stage][0][1].split()[0]
    return [*(lineage(base) if base in all_stages else []), *all_stages[stage]]


def copies(stage: str) -> set[str]:
    """What a stage takes from the checkout."""
    copied = (rest for kind, rest in lineage(stage) if kind == "COPY" and "--from" not in rest)
    return {source for rest in copied for source in rest.split()[:-1]}


def check_of(stage: str) -> list[str]:
    """The command of a stage's health check."""
    [check] = [rest for kind, rest in lineage(stage) if kind == "HEALTHCHECK"]
    words: list[str] = json.loads(check[check.index("[") :])
    return words


def environment(instructions: list[tuple[str, str]]) -> dict[str, str]:
    text = " ".join(rest for kind, rest in instructions if kind == "ENV")
    return dict(word.split("=", 1) for word in text.split())


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"WORDBRUSH_[A-Z_0-9]+", (ROOT / "Dockerfile").read_text()))
    for service in SERVICES.values():
        named |= {name for name in service.get("environment", {}) if name.startswith("WORDBRUSH_")}
    known = {f"WORDBRUSH_{name.upper()}" for name in Settings.model_fields}
    assert named <= known
    assert {"WORDBRUSH_STORE_URL", "WORDBRUSH_ACCESS", "WORDBRUSH_MODELS_MB"} <= named


def test_what_the_pages_and_the_sample_tell_to_set_reaches_the_containers() -> None:
    for name in OURS:
        passed = SERVICES[name]["environment"]
        wanted = (
            {"WORDBRUSH_WEBHOOK_SECRET", "FORWARDED_ALLOW_IPS"}
            if name == "web"
            else {"WORDBRUSH_MODELS", "WORDBRUSH_MODELS_MB", "WORDBRUSH_THREADS"}
        )
        assert {passed[one] for one in wanted} == {None}  # as .env or the shell has them
        assert all(f"{one}=" in SAMPLE and one in DEPLOY for one in wanted)
        assert "OTEL_EXPORTER_OTLP_HEADERS" in passed
    passed_on = {name for one in OURS for name in SERVICES[one]["environment"]}
    for_compose = {"WORDBRUSH_PUBLISH", "VALKEY_PASSWORD", "COMPOSE_PROFILES"}
    assert set(re.findall(r"^(?:# )?([A-Z_]+)=", SAMPLE, re.MULTILINE)) <= passed_on | for_compose


def test_a_proxy_that_the_environment_names_is_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "172.16.0.0/12")
    served = uvicorn.Config(create_app(Settings(data_dir=tmp_path)), log_config=None)
    assert served.forwarded_allow_ips == "172.16.0.0/12"
    assert served.proxy_headers


def test_commands_for_a_service_name_its_data_directory() -> None:
    started = re.search(r"^ExecStart=/srv/wordbrush/\S+ up .*--data-dir (\S+)$", UNIT, re.MULTILINE)
    assert started is not None
    page, _, rest = DEPLOY.partition("Everything is under the data directory")
    assert rest
    assert f"--home-dir {started[1]} " in page
    assert re.findall(r"wordbrush keys create .*--data-dir (\S+)", page) == [started[1]]
    assert f"StateDirectory={Path(started[1]).name}\n" in UNIT
    assert f"User={Path(started[1]).name}\n" in UNIT
    assert "deploy/wordbrush.service" in page


def test_the_unit_lets_web_and_workers_end_before_the_queue_server() -> None:
    assert "KillMode=mixed\n" in UNIT  # else each is told at once, and the queue server ends first
    [stop_s] = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(stop_s) > 2 * supervisor.STOP_S + guard.GRACE_S


def test_the_unit_is_not_started_again_over_a_setting_that_can_not_be() -> None:
    [never] = re.findall(r"^RestartPreventExitStatus=(\d+)$", UNIT, re.MULTILINE)
    wrong = os.environ | {"WORDBRUSH_PORT": "many"}
    done = subprocess.run(
        [sys.executable, "-m", "app", "up"], cwd=ROOT, env=wrong, capture_output=True, timeout=60
    )
    assert done.returncode == int(never)


def test_containers_and_pods_have_the_time_that_their_processes_take_to_end() -> None:
    web_s = server.GRACE_S + webhooks.STOP_S + tracing.LAST_SPANS_S
    job_s = Settings.model_fields["job_timeout_s"].default
    worker_s = job_s + scribe.LEAVES_S + tracing.LAST_SPANS_S
    given = {name: int(SERVICES[name]["stop_grace_period"].removesuffix("s")) for name in OURS}
    assert given["web"] > web_s
    assert min(given["worker"], given["worker-gpu"]) > worker_s
    pods_s = [int(one) for one in re.findall(r"terminationGracePeriodSeconds (\d+)", KUBERNETES)]
    [ahead_s] = re.findall(r"`preStop` of `sleep (\d+)`", KUBERNETES)
    assert pods_s[0] > int(ahead_s) + web_s
    assert pods_s[1] > worker_s


def test_probes_wait_longer_than_an_answer_may_take() -> None:
    checks = {
        stage: dict(re.findall(r"--([a-z-]+)=(\d+)s", rest))
        for stage in ("web", "worker")
        for kind, rest in lineage(stage)
        if kind == "HEALTHCHECK"
    }
    [asked_s] = re.findall(r"timeout=(\d+)\)", check_of("web")[-1])
    assert probe.PATIENCE_S < int(asked_s) < int(checks["web"]["timeout"])
    pods = re.findall(
        r"(\w+Probe) +(?:httpGet|exec) (\S[\S ]*?) +periodSeconds (\d+) +timeoutSeconds (\d+)",
        KUBERNETES,
    )
    timeouts_s = {(kind, asked): int(timeout_s) for kind, asked, _, timeout_s in pods}
    assert timeouts_s[("readinessProbe", "/readyz")] > probe.PATIENCE_S
    assert {asked for _, asked in timeouts_s} == {"/readyz", "/livez", "python -m worker.alive"}
    [period_s] = [int(period_s) for kind, _, period_s, _ in pods if kind == "startupProbe"]
    [failures] = re.findall(r"startupProbe.*failureThreshold (\d+)", KUBERNETES)
    assert period_s * int(failures) >= int(checks["worker"]["start-period"])


def test_whether_a_worker_lives_is_answered_within_the_time_for_it(
    settings: SharedSettings,
) -> None:
    [check] = [rest for kind, rest in lineage("worker") if kind == "HEALTHCHECK"]
    [timeout_s] = re.findall(r"--timeout=(\d+)s", check)
    done = subprocess.run(
        [sys.executable, *check_of("worker")[1:]],
        cwd=ROOT,
        env=os.environ | settings.to_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=int(timeout_s),
    )
    assert done.stderr == "worker: none on this host is ready\n"


def test_pods_of_web_sign_with_one_secret() -> None:
    assert "emptyDir at /tmp and /data" in KUBERNETES
    assert "WORDBRUSH_WEBHOOK_SECRET from a Secret" in KUBERNETES


def test_pods_are_not_given_a_services_address_for_a_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "enableServiceLinks: false" in KUBERNETES
    monkeypatch.setenv("WORDBRUSH_PORT", "tcp://10.0.0.1:8000")  # as Kubernetes would set it
    with pytest.raises(BadSettings, match="WORDBRUSH_PORT"):
        Settings()


def test_what_compose_asks_of_the_environment_is_in_the_sample() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    required = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    assert required == {"VALKEY_PASSWORD"}
    for name in (*required, "WORDBRUSH_PUBLISH", "COMPOSE_PROFILES", "AWS_ENDPOINT_URL"):
        assert f"{name}=" in SAMPLE


def test_the_sample_has_no_password_and_is_reached_from_this_machine_alone() -> None:
    assert "VALKEY_PASSWORD=\n" in SAMPLE
    assert "WORDBRUSH_PUBLISH=127.0.0.1:8000" in SAMPLE
    assert SERVICES["web"]["ports"] == ["${WORDBRUSH_PUBLISH:-127.0.0.1:8000}:8000"]
    assert all("ports" not in service for name, service in SERVICES.items() if name != "web")


def test_ports_and_addresses_are_those_of_the_code(tmp_path: Path) -> None:
    port = str(Settings.model_fields["port"].default)
    web = lineage("web")
    assert ("EXPOSE", port) in web
    asked = check_of("web")[-1]
    assert f"'127.0.0.1', {port}, " in asked
    [path] = re.findall(r"'(/\w+)'", asked)
    assert path in create_app(Settings(data_dir=tmp_path)).openapi()["paths"]


def test_the_check_of_a_web_container_says_whether_it_is_ready_whatever_proxy_is_named(
    settings: SharedSettings, tiny_model: str
) -> None:
    queue = JobQueue.from_settings(settings)
    with serving(create_app(Settings(**settings.model_dump()))) as address:
        _, option, asked = check_of("web")
        command = [sys.executable, option, asked.replace("8000", address.rpartition(":")[2])]
        named = os.environ | {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
        assert subprocess.run(command, env=named, timeout=60).returncode == 1
        queue.announce(WorkerView("w1", 1, "here", "cpu", (tiny_model,)))
        assert subprocess.run(command, env=named, timeout=60).returncode == 0


def test_commands_exist() -> None:
    for stage, words in (("web", ["-m", "app", "web", "--help"]), ("worker", ["-m", "worker"])):
        entry, command = (
            json.loads(rest)
            for wanted in ("ENTRYPOINT", "CMD")
            for kind, rest in lineage(stage)
            if kind == wanted
        )
        assert [*entry[1:], *command] == words[:3] if stage == "web" else words
    shown = subprocess.run(
        [sys.executable, "-m", "app", "web", "--help"], cwd=ROOT, capture_output=True, check=True
    )
    assert b"--access" in shown.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_shut_in(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    target = service.get("build", {}).get("target")
    users = [rest for kind, rest in lineage(target) if kind == "USER"] if target else []
    assert service.get("user", (users or ["root"])[-1]).split(":")[0] not in ("root", "0")
    has_own = target and any(kind == "HEALTHCHECK" for kind, _ in lineage(target))
    assert "healthcheck" in service or has_own


def test_images_are_built_from_stages_that_exist_and_copy_what_exists() -> None:
    assert {SERVICES[name]["build"]["target"] for name in OURS} == {"web", "worker"}
    for name, service in SERVICES.items():
        if "build" in service:
            assert service["build"]["target"] in stages(), name
    ignored = (ROOT / ".dockerignore").read_text()
    for instructions in stages().values():
        for kind, rest in instructions:
            if kind == "COPY" and "--from" not in rest:
                for source in rest.split()[:-1]:
                    assert (ROOT / source).exists(), source
                    assert f"!{source.split('/')[0]}\n" in ignored or f"!{source}\n" in ignored


def test_an_image_has_all_of_ours_that_it_imports_and_reads() -> None:
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    for stage in ("web", "worker"):
        copied = copies(stage)
        packages = copied & ours
        assert {"app", "worker", "models"} <= packages
        for path in (file for name in packages for file in (ROOT / name).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            named = set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE))
            assert named & ours <= packages, path
        library = Settings.model_fields["library"].default.relative_to(ROOT)
        assert copied & {str(part) for part in (library, *library.parents)}


def test_the_queue_server_keeps_jobs_as_our_own_does(tmp_path: Path) -> None:
    command = " ".join(SERVICES["valkey"]["command"])
    own = write_config(find_server(), tmp_path).read_text()
    for option in ("appendonly", "appendfsync", "maxmemory-policy"):
        [value] = re.findall(rf"^{option} (\S+)$", own, re.MULTILINE)
        assert f"--{option} {value}" in command
    assert '--requirepass "$$VALKEY_PASSWORD"' in command
    for name in OURS:
        address = SERVICES[name]["environment"]["REDIS_URL"]
        assert re.fullmatch(r"redis://:\$\{VALKEY_PASSWORD[^}]*\}@valkey:6379/0", address)


def test_workers_come_on_a_cpu_or_a_gpu() -> None:
    assert SERVICES["worker"]["profiles"] == ["cpu"]
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]
    [device] = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]


def test_the_web_image_installs_no_torch_and_the_worker_image_does() -> None:
    extras = {}
    for name in ("web", "worker"):
        [run] = [rest for kind, rest in stages()[f"installed-{name}"] if kind == "RUN"]
        words = re.search(r"requirements\.py ([\w ]+) >", run)
        assert words is not None
        extras[name] = words[1].split()
        listed = subprocess.run(
            [sys.executable, "deploy/requirements.py", *extras[name]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ("torch\n" in listed.stdout) is (name == "worker")
        assert "s3fs\n" in listed.stdout
    optional = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {*extras["web"], *extras["worker"]} <= optional["optional-dependencies"].keys()


def test_the_web_process_starts_where_nothing_of_the_worker_is_installed(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    names = {*extras["worker"], "matplotlib", "s3fs", "botocore", "scipy"}
    done = subprocess.run(
        [sys.executable, "-c", _BLOCKED.format(names=names)],
        cwd=ROOT,
        env=os.environ | {"WORDBRUSH_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_is_told_of_the_environment_is_where_containers_have_it() -> None:
    told = environment(lineage("web"))
    assert told["WORDBRUSH_KEYS_FILE"].startswith("/keys/")
    assert told["WORDBRUSH_DATA_DIR"] == "/data"
    volumes = SERVICES["web"]["volumes"]
    assert volumes[:2] == ["data:/data", "keys:/keys"]
    used = [volume for service in SERVICES.values() for volume in service["volumes"]]
    assert set(COMPOSE["volumes"]) == {one.split(":")[0] for one in used if ":" in one}


def test_a_large_upload_on_its_way_lies_on_a_disk_and_not_in_memory() -> None:
    web = SERVICES["web"]
    assert web["environment"]["TMPDIR"] in web["volumes"]  # a volume without a name
    assert web["environment"]["TMPDIR"] not in web["tmpfs"]
