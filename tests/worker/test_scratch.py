"""Folders of processes that live stay, those of processes that were killed go."""

import os
import subprocess
import sys
from pathlib import Path

from worker.scratch import scratch, sweep

PREFIX = ".making-"
HOLD = """
import sys, time
from pathlib import Path
from worker.scratch import scratch
with scratch(Path(sys.argv[1]), ".making-") as folder:
    print(folder, flush=True)
    time.sleep(600)
"""


def let_pass_a_while(folder: Path) -> None:
    os.utime(folder, (0, 0))


def test_a_folder_is_there_while_it_is_needed(tmp_path: Path) -> None:
    with scratch(tmp_path / "new", PREFIX) as folder:
        (folder / "file").write_text("half of it")
        let_pass_a_while(folder)
        sweep(tmp_path / "new", PREFIX)
        assert (folder / "file").exists()
    assert list((tmp_path / "new").iterdir()) == []


def test_what_a_killed_process_left_is_swept_away(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE)
    processes.append(holder)
    assert holder.stdout
    with holder.stdout:
        folder = Path(holder.stdout.readline().decode().strip())
    let_pass_a_while(folder)
    sweep(tmp_path, PREFIX)
    assert folder.exists()
    holder.kill()
    holder.wait()
    sweep(tmp_path, PREFIX)
    assert not folder.exists()


def test_a_folder_that_was_made_this_moment_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}new").mkdir()
    for other in (tmp_path / f"{PREFIX}file", tmp_path / "model.safetensors"):
        other.touch()
        let_pass_a_while(other)
    before = sorted(tmp_path.iterdir())
    sweep(tmp_path, PREFIX)
    assert sorted(tmp_path.iterdir()) == before
