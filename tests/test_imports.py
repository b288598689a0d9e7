"""The import law of docs/architecture.md: one way, no way back."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("app", "worker", "models", "training", "wordbrush")
FREE_OF_TORCH = (
    "worker.messages",
    "worker.library",
    "worker.queue",
    "worker.kept",
    "worker.standing",
    "worker.records",
    "worker.connection",
    "worker.events",
    "worker.listing",
    "worker.pace",
    "worker.passes",
    "worker.outbox",
    "worker.metrics",
    "worker.logs",
    "worker.tracing",
    "worker.sending",
    "worker.alive",
    "worker.idempotency",
    "worker.batch_records",
    "worker.batch_standing",
    "worker.batches",
    "worker.archives",
    "worker.writer",
    "worker.imports",
    "worker.store",
    "worker.heatmaps",
    "worker.animation",
    "worker.pictures",
    "worker.crops",
    "worker.results",
    "worker.scribe",
    "worker.settings",
    "models.registry",
    "models.checkpoint",
    "models.heap",
    "models.import_upstream.published",
    "models.text.vocabulary",
)
SHARED_BY_PAPERS = (
    "models.base",
    "models.conditioning",
    "models.descent",
    "models.layers",
    "models.lite",
    "models.attention",
    "models.text",
)
SAME_PAPER = {"style_encoder": ("models.gan_int_cls",)}  # S inverts the generator of its paper
PAPERS = sorted(
    path.stem
    for path in (ROOT / "models").glob("*.py")
    if "SYSTEM = " in path.read_text(encoding="utf-8")
)


def test_the_web_process_imports_only_what_is_free_of_torch() -> None:
    for path in _files("app"):
        for name in _imports(path):
            assert _within(name, ("app", "wordbrush", *FREE_OF_TORCH)), f"{path} imports {name}"


def test_what_is_free_of_torch_imports_only_its_like() -> None:
    for module in FREE_OF_TORCH:
        path = ROOT / (module.replace(".", "/") + ".py")
        for name in _imports(path):
            assert _within(name, FREE_OF_TORCH), f"{path} imports {name}"


def test_the_client_imports_only_itself() -> None:
    for path in _files("wordbrush"):
        assert all(_within(name, ("wordbrush",)) for name in _imports(path)), path


def test_nothing_that_serves_imports_training() -> None:
    for package in ("app", "worker", "models"):
        for path in _files(package):
            assert not any(_within(name, ("training",)) for name in _imports(path)), path


def test_the_worker_does_not_import_the_web_process_nor_models_the_worker() -> None:
    for path in _files("worker"):
        assert not any(_within(name, ("app",)) for name in _imports(path)), path
    for path in _files("models"):
        assert not any(_within(name, ("app", "worker")) for name in _imports(path)), path


@pytest.mark.parametrize("paper", PAPERS)
def test_a_papers_file_imports_no_other_paper(paper: str) -> None:
    for name in _imports(ROOT / "models" / f"{paper}.py"):
        allowed = (*SHARED_BY_PAPERS, "models.registry", *SAME_PAPER.get(paper, ()))
        assert _within(name, allowed), f"{paper} imports {name}"


def test_a_running_web_process_has_no_torch() -> None:
    code = "import sys, app.main, app.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def _files(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


def _imports(path: Path) -> Iterator[str]:
    """Our own modules that a file imports; `from worker import store` counts as worker.store."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            deeper = (ROOT / module.replace(".", "/")).is_dir()
            names = [f"{module}.{a.name}" for a in node.names] if deeper else [module]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in PACKAGES)


def _within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(root + ".") for root in allowed)
