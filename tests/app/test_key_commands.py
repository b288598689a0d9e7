"""`wordbrush keys`, as a person types it."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

COMMANDS = (["create", "Ada"], ["list"], ["revoke", "1f0c9a3e"])
ROOT = Path(__file__).resolve().parents[2]


def wordbrush(
    data_dir: Path, *words: str, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command, `before` which something is done in its process."""
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env=os.environ | {"WORDBRUSH_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=before,
    )


def test_a_key_is_made_listed_without_its_secret_and_revoked(data_dir: Path) -> None:
    key = wordbrush(data_dir, "keys", "create", "Ada", "--scope", "edit").stdout.strip()
    _, key_id, secret = key.split("_", 2)
    listed = wordbrush(data_dir, "keys", "list").stdout
    assert key_id in listed
    assert "Ada" in listed
    assert secret not in listed
    assert wordbrush(data_dir, "keys", "revoke", key_id).returncode == 0
    assert "there are none" in wordbrush(data_dir, "keys", "list").stdout
    again = wordbrush(data_dir, "keys", "revoke", key_id)
    assert again.returncode == 1
    assert "there is no key" in again.stderr


def test_a_limit_that_is_none_is_refused(data_dir: Path) -> None:
    answer = wordbrush(data_dir, "keys", "create", "Ada", "--limit", "often")
    assert answer.returncode == 2
    assert "wanted such as 600/minute" in " ".join(answer.stderr.replace("│", " ").split())


def test_a_public_address_without_keys_is_refused_with_what_to_do(data_dir: Path) -> None:
    for command in ("web", "up"):
        answer = wordbrush(data_dir, command, "--host", "0.0.0.0", "--port", "0")
        assert answer.returncode == 1
        assert "wordbrush keys create NAME" in answer.stderr
        assert "--access open" in answer.stderr


def test_a_file_that_is_none_of_keys_is_told_and_left_as_it_is(data_dir: Path) -> None:
    file = data_dir / "keys.json"
    whole = '{"id": "1", "name": "Ada", "digest": "", "scopes": [], "limit": "9/day", "created_at"'
    for text in ("[{", f"[{whole}: 3}}]", f'[{whole}: ""}}]'.replace("9/day", "often")):
        file.write_text(text)
        for words in COMMANDS:
            answer = wordbrush(data_dir, "keys", *words)
            assert answer.returncode == 1
            assert answer.stderr.startswith(f"wordbrush: {file} can't be read as a file of keys: ")
            assert answer.stderr.count("\n") == 1
        assert file.read_text() == text


def test_a_file_that_can_not_be_reached_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder would be")
    file = tmp_path / "taken" / "keys.json"
    for words in COMMANDS:
        answer = wordbrush(tmp_path / "taken", "keys", *words)
        assert answer.returncode == 1
        verb = "read" if words == ["list"] else "written"
        why = "Not a directory" if words == ["list"] else "File exists"
        assert answer.stderr == f"wordbrush: {file} can't be {verb}: {why}\n"


def test_a_file_that_can_not_be_written_is_told_with_its_path_and_keeps_its_keys(
    data_dir: Path,
) -> None:
    file = data_dir / "keys.json"
    key_id = wordbrush(data_dir, "keys", "create", "Ada").stdout.split("_")[1]
    before = file.read_text()
    for words in (["create", "Bob"], ["revoke", key_id]):
        answer = wordbrush(data_dir, "keys", *words, before=no_room)
        assert answer.returncode == 1
        assert answer.stdout == ""
        assert answer.stderr == f"wordbrush: {file} can't be written: File too large\n"
        assert file.read_text() == before


def no_room() -> None:
    """No file of this process may have a byte, as where a disk is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.parametrize("name", ["", "  \t"])
def test_a_key_of_nobody_is_refused_in_a_line(data_dir: Path, name: str) -> None:
    answer = wordbrush(data_dir, "keys", "create", name)
    assert answer.returncode == 1
    assert answer.stderr.startswith("wordbrush: a key needs a name")
    assert answer.stderr.count("\n") == 1
    assert not (data_dir / "keys.json").exists()


def test_a_name_is_listed_as_it_was_given(data_dir: Path) -> None:
    wordbrush(data_dir, "keys", "create", "Ada [/b] [red]")
    assert "Ada [/b] [red]" in wordbrush(data_dir, "keys", "list").stdout
