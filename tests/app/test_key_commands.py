"""`wordbrush keys`, as a person types it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def wordbrush(data_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env=os.environ | {"WORDBRUSH_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
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
    file.write_text("[{")
    for words in (["create", "Ada"], ["list"], ["revoke", "1f0c9a3e"]):
        answer = wordbrush(data_dir, "keys", *words)
        assert answer.returncode == 1
        assert "can't be read as a file of keys" in " ".join(answer.stderr.split())
        assert "Traceback" not in answer.stderr
    assert file.read_text() == "[{"
