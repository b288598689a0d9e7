"""The card of a checkpoint that searches: its recall, beside that of half a query.

Its sheet shows searches among pictures that may be passed on, never those of a data set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from models import weights
from models.checkpoint import Header, read_header
from models.tirg import Tirg
from training.card import photographs, read_measured, save_small
from training.recall import RANKS
from training.sheets import row, sheet

_FOUND = 6  # pictures in a row of the sheet


def ship(
    checkpoint: Path,
    evaluation: Path,
    samples: Sequence[Path],
    folder: Path,
    notes: Sequence[str] = (),
) -> Path:
    """Copy `checkpoint` into `folder` with the numbers of `evaluation`; card and sheet beside it.

    `evaluation` is what `python -m training recall` wrote, `samples` are the pictures that the
    sheet searches, `notes` are sentences for the card. Returns the file.

    Raises:
        NotMeasured: `evaluation` is not of this checkpoint at this step.
    """
    header = read_header(checkpoint)
    measured = read_measured(evaluation, header)
    header = replace(header, metrics=dict(header.metrics) | _headline(measured))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{header.id}.safetensors"
    system = weights.load(checkpoint)
    weights.save(system, header, path)
    if samples:
        assert isinstance(system, Tirg)
        save_small(search_sheet(system, samples, header.examples), path.with_suffix(".webp"))
    card = _card(header, measured, notes, searched=len(samples))
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    return path


@torch.inference_mode()
def search_sheet(system: Tirg, samples: Sequence[Path], captions: Sequence[str]) -> Image.Image:
    """A row for each caption: a sample, a gap, and what is found of the others, nearest first.

    The samples that are asked with are spread evenly over all of them.
    """
    images = photographs(samples, system.cfg.image_size)
    gallery = system.embed(system.prepare(images))  # (N, D)
    chosen = [number * len(samples) // len(captions) for number in range(len(captions))]
    asked = system.compose(system.prepare(images[chosen]), system.encode_text(captions))
    scores = asked @ gallery.T  # (captions, N)
    rows = []
    for own, score in zip(chosen, scores, strict=True):
        score[own] = -torch.inf
        found = score.topk(min(_FOUND, len(samples) - 1)).indices
        rows.append(row(torch.cat([images[own, None], torch.ones_like(images[:1]), images[found]])))
    return sheet(rows, captions)


def _headline(measured: Mapping[str, Any]) -> dict[str, float]:
    """Recall at 10 of the first way of asking, and of words alone."""
    first = next(iter(measured["ways"].values()))
    return {
        "recall_at_10": round(first["recall@10"], 4),
        "recall_at_10_words_alone": round(measured["ways"]["words alone"]["recall@10"], 4),
    }


def _card(
    header: Header, measured: Mapping[str, Any], notes: Sequence[str], *, searched: int
) -> str:
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
        *(
            [
                "",
                f"![a picture, words, and what is found among {searched} pictures that may be "
                f"passed on]({header.id}.webp)",
            ]
            if searched
            else []
        ),
    ]
    return "\n".join(lines) + "\n"
