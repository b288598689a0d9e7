"""A trained checkpoint made ready to ship: its numbers in its header, a card, a sample sheet.

The sheet shows pictures that may be passed on, never those of a data set.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps

from models import weights
from models.base import System
from models.checkpoint import Header, read_header
from models.pictures import to_tensor
from training.sheets import row, sheet

_EXAMPLES_ON_SHEET = 8


class NotMeasured(ValueError):
    """The evaluation is of another checkpoint."""


def ship(
    checkpoint: Path,
    evaluation: Path,
    samples: Sequence[Path],
    folder: Path,
    notes: Sequence[str] = (),
) -> Path:
    """Copy `checkpoint` into `folder` with the numbers of `evaluation`; card and sheet beside it.

    `samples` are the pictures on the sheet, `notes` sentences for the card. Returns the file.

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
    system = weights.load(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{header.id}.safetensors"
    weights.save(system, header, path)
    card = _card(header, measured, notes, sheet_shown=bool(samples))
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    if samples:
        page = sample_sheet(system, samples, header.examples[:_EXAMPLES_ON_SHEET])
        page.save(path.with_suffix(".webp"), quality=88)
    return path


@torch.inference_mode()
def sample_sheet(system: System, samples: Sequence[Path], captions: Sequence[str]) -> Image.Image:
    """The samples' centred squares in the first row, below them each caption, noise at its mean."""
    side = system.cfg.image_size
    image = torch.stack([to_tensor(_square(path, side)) for path in samples])
    prepared = system.prepare(image)
    noise = torch.zeros(len(image), system.noise_dim)
    answers = (
        system.manipulate(prepared, system.encode_text([caption] * len(image)), noise).image
        for caption in captions
    )
    return sheet([row(image), *map(row, answers)], ["the photograph", *captions])


def _square(path: Path, side: int) -> Image.Image:
    with Image.open(path) as image:
        return ImageOps.fit(image.convert("RGB"), (side, side), Image.Resampling.LANCZOS)


def _headline(measured: Mapping[str, Any]) -> dict[str, float]:
    """The few numbers that the model list and the card's head carry."""
    share = measured["edits"]["template"]["changed"]["all"]["share"]
    return {
        "colour_edits": round(share, 4),
        "outside_change": round(measured["outside_change"]["template"], 4),
        "l2_reconstruction": round(measured["reconstruction"]["rmse"], 4),
        "judge_on_real": round(measured["judge_on_real"]["all"], 4),
    }


def _card(
    header: Header, measured: Mapping[str, Any], notes: Sequence[str], *, sheet_shown: bool
) -> str:
    changed = measured["edits"]["template"]["changed"]
    own_words = measured["edits"]["own caption"]["changed"]
    colours = [name for name in changed if name != "all"]
    lines = [
        f"# {header.id}",
        "",
        f"{header.spec.title} ({header.spec.paper}; arXiv:{header.spec.arxiv}), "
        f"{header.image_size} px.",
        "",
        f"- Data: {header.data}.",
        f"- Training: {header.steps:,} steps, {header.pictures:,} pictures, "
        f"{header.metrics['training_hours']:.1f} hours on part of a two-core CPU, by "
        f"`python -m training {header.system.replace('_', '-')}`.",
        f"- Licence: {header.licence}; the data set is for research use, and so are these weights.",
        f"- Measured by `python -m training evaluate {header.id} --data .data/{header.domain}` on "
        f"the first {measured['pictures']} test pictures, none left out.",
        "",
        "| asked for | judged as asked, by template | by own caption | judge on real pictures |",
        "|---|---|---|---|",
        *(
            f"| {name} | {changed[name]['share']:.1%} | {own_words[name]['share']:.1%} "
            f"| {_percent(measured['judge_on_real'].get(name))} |"
            for name in (*colours, "all")
        ),
        "",
        "Only edits to another colour than the picture has are counted; `all` is over the colours "
        "of the bar. The judge was trained on real pictures alone and no trainer saw it "
        "(`judges/README.md`).",
        "",
        f"- Mean absolute change where nothing was asked for: "
        f"{measured['outside_change']['template']:.4f} of 1.",
        f"- L2 reconstruction error with the own caption (root mean square difference, values in "
        f"[-1, 1]): {measured['reconstruction']['rmse']:.3f}.",
        f"- Same picture, caption and seed give the same answer: {measured['deterministic']}.",
        *(f"- {note}" for note in notes),
    ]
    if sheet_shown:
        lines += ["", f"![the sample photographs, edited]({header.id}.webp)"]
    return "\n".join(lines) + "\n"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
