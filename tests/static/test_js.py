"""The page's pure modules, tested by `node --test`; this runs them where node is installed."""

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUDGET_BYTES = 120_000  # of all scripts and styles together, as they are sent: compressed


def test_pure_modules_pass_their_own_tests() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the JavaScript unit tests need it (20.19 or later)")
    files = sorted(map(str, Path(__file__).parent.glob("*.test.js")))
    ran = subprocess.run(
        [node, "--test", *files], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_scripts_and_styles_fit_the_budget() -> None:
    files = [*ROOT.glob("static/js/*.js"), *ROOT.glob("static/css/*.css")]
    assert 0 < sum(len(gzip.compress(file.read_bytes(), 6)) for file in files) < BUDGET_BYTES


def test_no_script_makes_elements_from_strings() -> None:
    for file in ROOT.glob("static/js/*.js"):
        text = file.read_text()
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in text, f"{file.name} uses {way}"
