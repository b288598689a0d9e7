"""The card of a checkpoint that searches: its recall, beside that of the baselines.

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

_RANKS = ("recall@1", "recall@5", "recall@10", "recall@50")


def ship(
    checkpoint: Path,
    evaluation: Path,
    folder: Path,
    *,
    baselines: Sequence[Path] = (),
    notes: Sequence[str] = (),
) -> Path:
    """Copy `checkpoint` into `folder` with the numbers of `evaluation` and a card beside it.

    `evaluation` and `baselines` are what `python -m training recall` wrote, `notes` sentences for
    the card. Returns the file.

    Raises:
        NotMeasured: `evaluation` is not of this checkpoint at this step.
    """
    header = read_header(checkpoint)
    measured, *others = (
        json.loads(p.read_text(encoding="utf-8")) for p in (evaluation, *baselines)
    )
    if (measured["checkpoint"], measured["steps"]) != (header.id, header.steps):
        raise NotMeasured(
            f"{evaluation} is of {measured['checkpoint']} at step {measured['steps']}, "
            f"wanted {header.id} at step {header.steps}"
        )
    header = replace(header, metrics=dict(header.metrics) | _headline(measured))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{header.id}.safetensors"
    weights.save(weights.load(checkpoint), header, path)
    card = _card(header, [measured, *others], notes)
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    return path


def _headline(measured: Mapping[str, Any]) -> dict[str, float]:
    """Recall at 10, by the way of asking."""
    return {
        f"recall_at_10_{way.replace(' ', '_').lower()}": round(row["recall@10"], 4)
        for way, row in measured["ways"].items()
    }


def _card(header: Header, measured: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> str:
    spec, ways = header.spec, measured[0]["ways"]
    rows = [
        f"| {way} ({ways[way]['queries']:,}) | {one['form']} | "
        + " | ".join(f"{one['ways'][way][rank]:.1%}" for rank in _RANKS)
        + " |"
        for way in ways
        for one in measured
    ]
    lines = [
        f"# {header.id}",
        "",
        f"{spec.title} ({spec.paper}; arXiv:{spec.arxiv}), {header.image_size} px. {spec.summary}",
        "",
        f"- Data: {header.data}.",
        f"- Training: {header.steps:,} steps, {header.pictures:,} pictures (each seen once by the "
        f"frozen trunk), {header.metrics['training_hours']:.1f} hours on part of a two-core CPU, "
        f"by `python -m training {header.system}`.",
        f"- Licence: {header.licence}; the data set is for research use, and so are these weights.",
        f"- Measured by `python -m training recall {header.id} --data .data/{header.domain}` on "
        f"the {measured[0]['pictures']:,} test pictures, none left out, each searched for among "
        "all others.",
        "",
        "| asked for (queries) | network | " + " | ".join(_RANKS) + " |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        *(f"- {note}" for note in notes),
    ]
    return "\n".join(lines).rstrip() + "\n"
