"""Pictures from the terminal, by real processes: a worker, a web server, the command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from app.keys import KeyFile, Scope
from app.main import create_app
from app.settings import Settings
from tests.app.conftest import picture, serving
from tests.processes import until
from wordbrush import Client
from worker.queue import JobQueue
from worker.records import key_of
from worker.settings import Settings as SharedSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(
    settings: SharedSettings, tiny_model: str, processes: list[subprocess.Popen[bytes]]
) -> Iterator[dict[str, str]]:
    """Of a terminal where WORDBRUSH_SERVER names a service with a worker."""
    shared = os.environ | settings.to_environment()
    processes.append(subprocess.Popen([sys.executable, "-m", "worker"], cwd=ROOT, env=shared))
    until(JobQueue.from_settings(settings).ready_models)
    with serving(create_app(Settings(**settings.model_dump()))) as address:
        yield os.environ | {"WORDBRUSH_SERVER": address}


def wordbrush(
    environment: dict[str, str], *words: object, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "app", *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=stdin, capture_output=True, timeout=120
    )


def in_a_shell(words: str) -> subprocess.CompletedProcess[bytes]:
    """The command where no server answers, with redirections."""
    return subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m app {words}"],
        cwd=ROOT,
        env=os.environ | {"WORDBRUSH_SERVER": "http://127.0.0.1:1"},
        stderr=subprocess.PIPE,
        timeout=60,
    )


def unwrapped(said: bytes) -> str:
    """What typer puts into a box, in one line."""
    return " ".join(said.decode().replace("│", " ").split())


def opened(path: Path) -> Image.Image:
    return Image.open(BytesIO(path.read_bytes()))


def test_edits_come_as_files_or_through_pipes_and_refusals_say_why(
    environment: dict[str, str], settings: SharedSettings, tmp_path: Path
) -> None:
    photo, out = tmp_path / "photo.jpg", tmp_path / "out.png"
    photo.write_bytes(picture())
    done = wordbrush(environment, "edit", photo, "a red flwer", "-o", out, "-n", 2, "--seed", 5)
    assert done.returncode == 0, done.stderr
    pictures = [opened(tmp_path / f"out-{n}.png") for n in range(2)]
    assert [one.format for one in pictures] == ["PNG", "PNG"]
    assert [one.size for one in pictures] == [(64, 48)] * 2
    assert b"'flwer' (near: flower)" in done.stderr
    assert b"seed 6" in done.stderr

    steps = ("--caption-to", "a yellow flower", "--steps", 3, "-o", tmp_path / "way.jpg")
    assert wordbrush(environment, "edit", photo, "a red flower", *steps).returncode == 0
    assert len(list(tmp_path.glob("way-*.jpg"))) == 3

    piped = wordbrush(environment, "edit", "-", "a red flower", stdin=picture())
    assert Image.open(BytesIO(piped.stdout)).format == "JPEG"
    as_png = wordbrush(environment, "edit", "-", "a red flower", "-f", "png", stdin=picture())
    assert Image.open(BytesIO(as_png.stdout)).format == "PNG"

    with Client(environment["WORDBRUSH_SERVER"]) as client:
        job = client.edit(photo, "a red flower", format="jpeg")
    connection = JobQueue.from_settings(settings).connection
    connection.hset(key_of(job.id), "outcome", json.dumps({"status": "canceled"}))
    again = wordbrush(environment, "retry", job.id, "-o", tmp_path / "again.png")
    assert again.returncode == 0, again.stderr
    assert opened(tmp_path / "again.jpg").size == (64, 48)
    assert b"no such job" in wordbrush(environment, "retry", "nothing", "-o", out).stderr

    refused = wordbrush(environment, "edit", photo, "xyzzy", "-o", out)
    assert refused.returncode == 1
    assert b"none of these words" in refused.stderr
    for words in (
        ("-o", tmp_path / "out.gif"),
        ("-o", tmp_path / "nowhere" / "out.png"),
        ("-o", out, "-f", "webp"),
        ("-o", out, "--crop", "1,2"),
        ("-n", 2),
    ):
        assert wordbrush(environment, "edit", photo, "red", *words).returncode == 2
    assert not out.exists()


def test_a_batch_of_a_folder_ends_in_a_folder(environment: dict[str, str], tmp_path: Path) -> None:
    folder, out = tmp_path / "images", tmp_path / "out"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(picture(64 + number, 48))
    lines = "".join(f"{n}.jpg,a red flower\n" for n in range(3))
    (tmp_path / "captions.csv").write_text("image,caption\n" + lines)
    done = wordbrush(environment, "batch", tmp_path / "captions.csv", folder, "--out", out)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    sizes = [opened(out / line["files"][0]).size for line in told]
    assert sizes == [(64, 48), (65, 48), (66, 48)]

    with (tmp_path / "captions.csv").open("a") as file:
        file.write("9.jpg,a red flower\n")
    partly = wordbrush(environment, "batch", tmp_path / "captions.csv", folder, "--out", out)
    assert partly.returncode == 1
    assert b"3 done, 1 failed" in partly.stderr
    assert f"why: `error` in the lines of {out / 'manifest.jsonl'}".encode() in partly.stderr


def test_a_shell_can_complete_commands_and_models(environment: dict[str, str]) -> None:
    shown = wordbrush(environment | {"SHELL": "/bin/bash"}, "--show-completion", "bash")
    assert b"_COMPLETE=complete_bash" in shown.stdout
    typed = {"COMP_WORDS": "wordbrush edit -m tag", "COMP_CWORD": "3"}
    asked = environment | typed | {"_WORDBRUSH_COMPLETE": "complete_bash"}
    code = "import sys; sys.argv[0] = 'wordbrush'; from app.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=asked, capture_output=True)
    assert b"tagan-flowers-64" in done.stdout


def test_a_mask_that_is_no_picture_is_not_taken_for_the_photo(
    settings: SharedSettings, tiny_model: str, tmp_path: Path
) -> None:
    photo, mask = tmp_path / "photo.jpg", tmp_path / "text.jpg"
    photo.write_bytes(picture())
    mask.write_text("black")
    with serving(create_app(Settings(**settings.model_dump()))) as address:
        here = os.environ | {"WORDBRUSH_SERVER": address}
        words = ("edit", photo, "red", "--mask", mask, "-o", tmp_path / "out.png")
        refused = wordbrush(here, *words)
    assert refused.returncode == 1
    assert b": mask: this is an unknown kind of file, wanted a JPEG" in refused.stderr


def test_where_a_key_is_wanted_it_is_said_how_to_give_one(settings: SharedSettings) -> None:
    closed = Settings(**settings.model_dump(), access="keys")
    KeyFile(closed.keys_file).create("ada", [Scope.EDIT])
    with serving(create_app(closed)) as address:
        refused = wordbrush(os.environ | {"WORDBRUSH_SERVER": address}, "generate", "red")
    assert refused.returncode == 1
    assert refused.stderr.endswith(b"give one with --key or WORDBRUSH_KEY\n")


@pytest.mark.parametrize(
    ("out", "said"),
    [("folder.png", "folder.png is a folder"), ("/proc/out.png", "/proc cannot be written to")],
)
def test_a_file_that_can_not_be_written_is_said_before_anything_is_sent(
    tmp_path: Path, out: str, said: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    nowhere = os.environ | {"WORDBRUSH_SERVER": "http://127.0.0.1:1"}
    refused = wordbrush(nowhere, "edit", "-", "red", "-o", tmp_path / out, stdin=picture())
    assert refused.returncode == 2
    assert said in unwrapped(refused.stderr)


def test_a_full_disk_is_said_with_the_name_of_the_file(
    environment: dict[str, str], tmp_path: Path
) -> None:
    full = tmp_path / "full.png"
    full.symlink_to("/dev/full")
    done = wordbrush(environment, "edit", "-", "a red flower", "-o", full, stdin=picture())
    assert done.returncode == 1
    assert done.stderr.decode() == f"wordbrush: {full}: No space left on device\n"


def test_a_photo_is_not_awaited_from_a_terminal_nor_from_what_is_closed() -> None:
    ours, theirs = os.openpty()
    for stdin in ("<&-", f"<{os.ttyname(theirs)}"):
        refused = in_a_shell(f"edit - red {stdin} >/dev/null")
        assert refused.returncode == 2
        assert "nothing is piped in" in unwrapped(refused.stderr)
    os.close(ours)
    os.close(theirs)


def test_a_picture_goes_not_to_an_output_that_is_closed() -> None:
    refused = in_a_shell("edit - red </dev/null >&-")
    assert refused.returncode == 2
    assert "wanted --out FILE or a pipe" in unwrapped(refused.stderr)


@pytest.fixture
def alone(settings: SharedSettings, tiny_model: str, free_port: int) -> dict[str, str]:
    """Environment of a terminal on a machine where no service runs."""
    return os.environ | {
        "WORDBRUSH_CHECKPOINTS": str(settings.checkpoints[0]),
        "WORDBRUSH_PORT": str(free_port),
        "REDIS_URL": "unix:///nowhere",
    }


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--server", "localhost:8000", "wanted such as http://127.0.0.1:8000"),
     ("--key", "clé", "wanted wb_...")],
)  # fmt: skip
def test_an_address_or_a_key_that_is_none_is_said_in_a_line(
    option: str, value: str, said: str
) -> None:
    server = {"WORDBRUSH_SERVER": "http://127.0.0.1:1"}
    done = wordbrush(os.environ | server, "edit", "-", "red", option, value, stdin=picture())
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    assert said in line


def test_without_a_service_one_is_started_for_the_moment(alone: dict[str, str]) -> None:
    done = wordbrush(alone, "edit", "-", "a red flower", stdin=picture())
    assert done.returncode == 0, done.stderr
    assert Image.open(BytesIO(done.stdout)).size == (64, 48)


def test_ctrl_c_stops_a_batch_of_a_momentary_service_and_what_is_done_is_fetched(
    alone: dict[str, str], tmp_path: Path
) -> None:
    images, out = tmp_path / "images", tmp_path / "out"
    images.mkdir()
    (images / "a.jpg").write_bytes(picture())
    lines = ["caption,image", *["a red flower,a.jpg"] * 4000]
    (tmp_path / "captions.csv").write_text("\n".join(lines))
    command = [sys.executable, "-m", "app", "batch", "captions.csv", "images", "--out", "out"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=alone | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        try:
            until(lambda: len(list(tmp_path.glob("wordbrush-*/store/results/*"))) > 200)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, said
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    statuses = [row["status"] for row in rows]
    assert set(statuses) == {"succeeded", "canceled"}
    assert len(list(out.glob("*.jpg"))) == statuses.count("succeeded")
    assert not list(tmp_path.glob("wordbrush-*"))  # the service is gone with its folder
