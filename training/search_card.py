"""The card of a checkpoint that searches: its recall, beside that of half a query.

It has no sheet: what is found shows pictures of the data set, which may not be passed on.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from models import weights
from models.checkpoint import Header, read_header
from training.card import NotMeasured
from training.recall import RANKS


def ship(checkpoint: Path, evaluation: Path, folder: Path, notes: Sequence[str] = ()) -> Path:
    """Copy `checkpoint` into `folder` with the numbers of `evaluation` and a card beside it.

    `evaluation` is what `python -m training recall` wrote, `notes` are sentences for the card.
    Returns the file.

    Raises:
        NotMeasured: `evaluation` is not of this checkpoint at this step.
    """
    header = read_header(checkpoint)
    measured = json.loads(evaluation.read_text(encoding="utf-8"))
    if (measured["checkpoint"], measured["steps"]) != (header.id, header.steps):
        raise NotMeasured(
            f"{evaluation} is of {measured['checkpoint']} at step {measured['steps']}, "
            f"wanted {header.id} at step {header.steps}"
        )
    header = replace(header, metrics=dict(header.metrics) | _headline(measured))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{header.id}.safetensors"
    weights.save(weights.load(checkpoint), header, path)
    path.with_suffix(".md").write_text(_card(header, measured, notes), encoding="utf-8")
    return path


def _headline(measured: Mapping[str, Any]) -> dict[str, float]:
    """Recall at 10 of the first way of asking, and of words alone."""
    first = next(iter(measured["ways"].values()))
    return {
        "recall_at_10": round(first["recall@10"], 4),
        "recall_at_10_words_alone": round(measured["ways"]["words alone"]["recall@10"], 4),
    }


def _card(header: Header, measured: Mapping[str, Any], notes: Sequence[str]) -> str:
    spec = header.spec
    rows = [
        f"| {way} | {row['queries']:,} | "
        + " | ".join(f"{row[f'recall@{k}']:.1%}" for k in RANKS)
        + " |"
        for way, row in measured["ways"].items()
    ]
    lines = [
        f"# {header.id}",
        "",
        f"{spec.title} ({spec.paper}; arXiv:{spec.arxiv}), {header.image_size} px, "
        f"{measured['form']}. {spec.summary}",
        "",
        f"- Data: {header.data}.",
        f"- Training: {header.steps:,} steps, {header.pictures:,} pictures as a frozen network "
        f"sees them, {header.metrics['training_hours']:.1f} hours on part of a two-core CPU, "
        f"by `python -m training {header.system}`.",
        f"- Licence: {header.licence}; the data set is for research use, and so are these weights.",
        f"- Measured by `python -m training recall {header.id} --data .data/{header.domain}`: one "
        f"query for each of the {measured['pictures']:,} test pictures that has one, none left "
        "out, searched for among all test pictures but the query's own.",
        "",
        "| asked for | queries | " + " | ".join(f"recall@{k}" for k in RANKS) + " |",
        "|---|---|---|---|---|---|",
        *rows,
        *(["", *(f"- {note}" for note in notes)] if notes else []),
    ]
    return "\n".join(lines) + "\n"
