"""A trained checkpoint made ready to ship: its numbers in its header, a card, a sample sheet.

The sheet shows edits of pictures that may be passed on, never those of a data set, or drawings.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor

from models import weights
from models.base import System
from models.checkpoint import Header, read_header
from models.pictures import to_tensor
from models.registry import Task
from training.evaluate_drawings import FIRST, draw
from training.evaluate_edits import plain_grounds_written
from training.evaluation import written
from training.lite2 import SIDE
from training.sheets import row, sheet

_EXAMPLES_ON_SHEET = 8
_DRAWINGS_OF_EACH = 8
_GAP = 14  # pixels between these and the drawings of the first test captions
_MAX_SHEET_BYTES = 200_000
_QUALITIES = (88, 80, 70, 60, 50, 40)  # of WebP, until the sheet is small enough


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

    `samples` are the pictures that a manipulator edits on the sheet; a generator draws its example
    captions. `notes` are sentences for the card. Returns the file.

    Raises:
        NotMeasured: `evaluation` is not of this checkpoint at this step.
    """
    header = read_header(checkpoint)
    measured = read_measured(evaluation, header)
    header = replace(header, metrics=dict(header.metrics) | _headline(measured))
    system = weights.load(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{header.id}.safetensors"
    weights.save(system, header, path)
    captions = header.examples[:_EXAMPLES_ON_SHEET]
    page = None
    if Task.GENERATE in header.spec.tasks:
        page = drawing_sheet(system, captions, evaluation.with_name(FIRST))
    elif samples:
        page = edit_sheet(system, samples, captions)
    card = _card(header, measured, notes, sheet_shown=page is not None)
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    if page:
        save_small(page, path.with_suffix(".webp"))
    return path


def read_measured(evaluation: Path, header: Header) -> dict[str, Any]:
    """What was measured of the checkpoint that has this header.

    Raises:
        NotMeasured: it was measured of another one, or at another step.
    """
    measured: dict[str, Any] = json.loads(evaluation.read_text(encoding="utf-8"))
    if (measured["checkpoint"], measured["steps"]) != (header.id, header.steps):
        raise NotMeasured(
            f"{evaluation} is of {measured['checkpoint']} at step {measured['steps']}, "
            f"wanted {header.id} at step {header.steps}"
        )
    return measured


@torch.inference_mode()
def edit_sheet(system: System, samples: Sequence[Path], captions: Sequence[str]) -> Image.Image:
    """The samples' centred squares in the first row, below them each caption, noise at its mean."""
    side = system.cfg.image_size
    image = photographs(samples, side)
    prepared = system.prepare(image)
    noise = torch.zeros(len(image), system.noise_dim)
    answers = (
        system.manipulate(prepared, system.encode_text([caption] * len(image)), noise).image
        for caption in captions
    )
    return sheet([row(image), *map(row, answers)], ["the photograph", *captions])


def drawing_sheet(system: System, captions: Sequence[str], first: Path) -> Image.Image:
    """Each caption in a row of other noise, then what the first test captions gave, unnamed."""
    rows = [row(draw(system, [caption] * _DRAWINGS_OF_EACH, seed=0)) for caption in captions]
    examples = sheet(rows, captions)
    with Image.open(first) as others:
        page = Image.new("RGB", (examples.width, examples.height + _GAP + others.height), "white")
        page.paste(examples)
        page.paste(others, (0, examples.height + _GAP))
    return page


def photographs(paths: Sequence[Path], side: int) -> Tensor:
    """Their centred squares: (N, 3, side, side) in [-1, 1]."""
    return torch.stack([to_tensor(_square(path, side)) for path in paths])


def save_small(page: Image.Image, path: Path) -> None:
    """As good as fits into the bytes allowed, or as small as it can be."""
    for quality in _QUALITIES:
        page.save(path, quality=quality)
        if path.stat().st_size <= _MAX_SHEET_BYTES:
            return


def _square(path: Path, side: int) -> Image.Image:
    with Image.open(path) as image:
        return ImageOps.fit(image.convert("RGB"), (side, side), Image.Resampling.LANCZOS)


def _headline(measured: Mapping[str, Any]) -> dict[str, float]:
    """The few numbers that the model list and the card's head carry."""
    found = _drawing_headline(measured) if "likeness" in measured else _edit_headline(measured)
    return {name: round(value, 4) for name, value in found.items()}


def _edit_headline(measured: Mapping[str, Any]) -> dict[str, float]:
    figures = {"l2_reconstruction": measured["reconstruction"]["rmse"]["mean"]}
    for name, found in measured["attributes"].items():
        figures[f"{name}_edits"] = found["template"]["changed"]["all"]["share"]
        figures[f"{name}_judge_on_real"] = found["judge_on_real"]["all"]
        if change := found["template"].get("outside_change"):
            figures["outside_change"] = change["mean"]
    return figures


def _drawing_headline(measured: Mapping[str, Any]) -> dict[str, float]:
    likeness = measured["likeness"][str(SIDE)]["made"]
    figures = {name: likeness[name]["mean"] for name in ("fd_lite2", "kid_lite2", "is_lite2")}
    if found := measured.get("r_precision"):
        figures["r_precision"] = found["made"]["share"]
        figures["r_precision_of_real"] = found["real"]["share"]
    for name, found in measured["attributes"].items():
        figures[f"{name}_obeyed"] = found["made"]["all"]["share"]
    return figures | {"variety": measured["variety"]["same_caption"]}


def _card(
    header: Header, measured: Mapping[str, Any], notes: Sequence[str], *, sheet_shown: bool
) -> str:
    figures, shown = (
        (_drawing_figures, "drawings of its example captions, and of the first 40 test captions")
        if "likeness" in measured
        else (_edit_figures, "the sample photographs, edited")
    )
    lines = [
        f"# {header.id}",
        "",
        f"{header.spec.title} ({header.spec.paper}; arXiv:{header.spec.arxiv}), "
        f"{header.image_size} px.",
        "",
        f"- Data: {header.data.rstrip('.')}.",
        f"- Training: {header.steps:,} steps, {header.pictures:,} pictures, "
        f"{header.metrics['training_hours']:.1f} hours on part of a two-core CPU, by "
        f"`python -m training {header.system.replace('_', '-')}`.",
        f"- Licence: {header.licence}; the data set is for research use, and so are these weights.",
        f"- Measured by `python -m training evaluate {header.id} --data .data/{header.domain} "
        f"--pictures {measured['pictures']} --seeds {measured['seeds']}` on the first "
        f"{measured['pictures']} test pictures, none left out.",
        "",
        *figures(measured),
        *(f"- {note}" for note in notes),
    ]
    if sheet_shown:
        lines += ["", f"![{shown}]({header.id}.webp)"]
    return "\n".join(lines) + "\n"


def _edit_figures(measured: Mapping[str, Any]) -> list[str]:
    """Tables of what was asked for, then the other figures of edits."""
    lines = []
    for found in measured["attributes"].values():
        changed, own_words = (found[way]["changed"] for way in ("template", "own caption"))
        names = [name for name in changed if name != "all"]
        lines += [
            "| asked for | judged as asked, by template | by own caption | judge on real |",
            "|---|---|---|---|",
            *(
                f"| {name} | {changed[name]['share']:.1%} | {own_words[name]['share']:.1%} "
                f"| {_percent(found['judge_on_real'].get(name))} |"
                for name in (*names, "all")
            ),
            "",
        ]
    lines += [
        "Only edits to another value than the picture has are counted; `all` is over the values "
        "of the bar. The judges were trained on real pictures alone and no trainer saw them "
        "(`judges/README.md`).",
        "",
    ]
    for found in measured["attributes"].values():
        if change := found["template"].get("outside_change"):
            mean = change["mean"]
            lines.append(f"- Mean absolute change where nothing was asked for: {mean:.4f} of 1.")
        if on_plain := plain_grounds_written(found):
            lines.append(f"- {on_plain}")
    rmse = measured["reconstruction"]["rmse"]["mean"]
    return [
        *lines,
        f"- L2 reconstruction error with the own caption (root mean square difference, values in "
        f"[-1, 1]): {rmse:.3f}.",
        f"- Same picture, caption and seed give the same answer: {measured['deterministic']}.",
    ]


def _drawing_figures(measured: Mapping[str, Any]) -> list[str]:
    """One table: each measure of the drawings beside that of real pictures."""
    rows = []
    for side, found in measured["likeness"].items():
        for key, name in (("fd_lite2", "FD"), ("kid_lite2", "KID"), ("is_lite2", "IS")):
            figures = (_interval(found[kind][key]) for kind in ("made", "real"))
            rows.append((f"{name}-Lite2, at {side} px", *figures))
    if found := measured.get("r_precision"):
        rows.append(("R-precision, 1 of 100 (chance 1 %)", *_shares(found, None)))
    for name, found in measured["attributes"].items():
        rows += [(f"{name}: {value}", *_shares(found, value)) for value in found["made"]]
    return [
        "| measure | drawings | real pictures |",
        "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        f"Means over {measured['seeds']} seeds with their 95 % interval. FD, KID and IS look "
        "through EfficientNet-Lite2, so they are no FID and no Inception score of other papers; "
        "their real pictures are as many of the training split, those of the other rows the test "
        "pictures themselves. Judges and matcher were trained on real pictures alone, and no "
        "trainer saw them (`judges/README.md`).",
        "",
        f"- Drawings of one caption are {measured['variety']['same_caption']:.0%} as far apart as "
        f"real pictures are, those of different captions "
        f"{measured['variety']['other_captions']:.0%}.",
    ]


def _shares(found: Mapping[str, Any], value: str | None) -> list[str]:
    """Of drawings and of real pictures."""
    kinds = (found[kind] for kind in ("made", "real"))
    return [written(kind if value is None else kind[value]) for kind in kinds]


def _interval(found: Mapping[str, Any]) -> str:
    return f"{found['mean']:.4g} ({found['low']:.4g} to {found['high']:.4g})"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
