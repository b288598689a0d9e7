"""Measure a checkpoint on the public test split: one command for all systems.

What is measured depends on what the system does: edits (training/evaluate_edits.py) or drawings
(training/evaluate_drawings.py). Either way there are a metrics.json, which `ship` makes a card
from, and sheets to look at.
"""

import json
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from rich.console import Console

from models import weights
from models.checkpoint import Checkpoint, read_header, scan
from models.lite import FOLDER
from models.registry import Spec, Task
from training import evaluate_drawings, evaluate_edits
from training.evaluation import JUDGES, Plan

CHECKPOINTS = FOLDER.parent
_MEASURED = {Task.MANIPULATE: evaluate_edits, Task.GENERATE: evaluate_drawings}


def main(
    model: Annotated[str, typer.Argument(help="A checkpoint's file, or its id.")],
    data: Annotated[Path, typer.Option(help="Folder with train/, test/ and their metadata.jsonl.")],
    pictures: Annotated[int, typer.Option(help="Test pictures, from the first.")] = 500,
    seeds: Annotated[
        int | None, typer.Option(min=2, max=10, help="How often, each by other noise.")
    ] = None,
    judges: Annotated[Path, typer.Option(help="Folder of judges and matchers.")] = JUDGES,
    out: Annotated[Path | None, typer.Option(help="Default: .runs/evaluation/ID.")] = None,
) -> None:
    """Measure a checkpoint on real test pictures; write metrics.json and contact sheets."""
    checkpoint = _find(model)
    header = checkpoint.header
    way = _way(header.spec)
    drawn = tuple(range(seeds or way.SEEDS))
    plan = Plan(data, header.domain, pictures=pictures, seeds=drawn, judges=judges)
    result = way.measure(weights.load(checkpoint.path), plan)
    metrics: dict[str, Any] = {"checkpoint": checkpoint.id, "steps": header.steps}
    metrics |= result.metrics
    folder = out or Path(".runs") / "evaluation" / checkpoint.id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    for name, page in result.sheets.items():
        page.save(folder / name, quality=90)
    way.report(metrics, Console())
    typer.echo(f"wrote metrics.json, {', '.join(result.sheets)} in {folder}")


def _way(spec: Spec) -> ModuleType:
    """The module that measures what the system does."""
    for task, way in _MEASURED.items():
        if task in spec.tasks:
            return way
    raise typer.BadParameter(f"there are no measures for {spec.title}'s {', '.join(spec.tasks)}")


def _find(model: str) -> Checkpoint:
    """The checkpoint in a file of this name, or with this id."""
    if (path := Path(model)).is_file():
        return Checkpoint(path, read_header(path))
    shipped = scan([CHECKPOINTS])
    if model not in shipped:
        known = ", ".join(shipped) or "none"
        raise typer.BadParameter(f"no file and no shipped checkpoint {model!r}; there is: {known}")
    return shipped[model]
