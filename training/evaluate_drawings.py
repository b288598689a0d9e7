"""How well a checkpoint draws from words alone: likeness to real pictures, obedience, variety.

The first N test pictures, in the order of the file, none left out, give their captions: with each
seed another caption of a picture, and other noise. All pictures are compared as they look at 64
pixels, so that checkpoints of different sizes can be; larger ones also at their own size. Beside
every figure stands what real pictures get that are measured in the same way: for likeness, as many
of the training split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from models.base import System
from training import measures
from training.attributes import Attribute, attributes_of
from training.data import Example, cached_pictures, read_split, to_tensor
from training.evaluation import Evaluation, Plan, written
from training.judge import Judge, judge_file
from training.lite2 import SIDE, Lite2, Seen
from training.matcher import CANDIDATES, Matcher, candidates, found_own, matcher_file
from training.measures import mean_of, share_of
from training.sheets import row, sheet

FIRST = "first-40.png"  # pictures of the first captions without the captions: may be shipped
SEEDS = 4  # as a rule
_ON_SHEET = 40  # captions, the first of the test split
_VARIANTS = 8  # pictures of each of these


@dataclass(frozen=True)
class Drawings:
    """What was asked for and what was drawn, one list entry a seed."""

    examples: Sequence[Example]  # N test pictures
    real: Tensor  # (N, 3, 64, 64), these
    asked: list[list[str]]  # N captions a seed
    made: list[Tensor]  # (N, 3, S, S) in [-1, 1] a seed
    variants: Tensor  # (M, V, 3, S, S), the first M captions of the first seed, by V noises


def draw(system: System, captions: Sequence[str], seed: int, *, batch: int = 50) -> Tensor:
    """One picture a caption, (N, 3, S, S) in [-1, 1]."""
    rng = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(captions), system.noise_dim, generator=rng)
    parts = [slice(first, first + batch) for first in range(0, len(captions), batch)]
    with torch.inference_mode():
        drawn = [system.generate(system.encode_text(captions[p]), noise[p]).image for p in parts]
    return torch.cat(drawn).clamp(-1, 1)


def drawings(system: System, plan: Plan) -> Drawings:
    """Everything that is drawn for the measures."""
    examples = read_split(plan.data, "test")[: plan.pictures]
    asked = [captions_of(examples, seed) for seed in plan.seeds]
    turns = list(zip(asked, plan.seeds, strict=True))
    made = [draw(system, captions, seed) for captions, seed in track(turns, "drawing")]
    repeated = [caption for caption in asked[0][:_ON_SHEET] for _ in range(_VARIANTS)]
    variants = draw(system, repeated, plan.seeds[0]).unflatten(0, (-1, _VARIANTS))
    return Drawings(examples, _pictures(examples, SIDE, plan), asked, made, variants)


def captions_of(examples: Sequence[Example], seed: int) -> list[str]:
    """One caption a picture, another with the next seed where the picture has several."""
    return [example.captions[seed % len(example.captions)] for example in examples]


def measure(system: System, plan: Plan) -> Evaluation:
    """Measure `system` on captions of the test split."""
    drawn = drawings(system, plan)
    eyes, size = Lite2(), system.cfg.image_size
    seen, seen_made = eyes.look(drawn.real), [eyes.look(made) for made in drawn.made]
    metrics: dict[str, Any] = {
        "pictures": len(drawn.examples),
        "seeds": len(plan.seeds),
        "image_size": size,
        "likeness": {str(SIDE): likeness(seen, seen_made, _others(eyes, SIDE, plan))},
        "variety": variety(eyes, drawn),
        "attributes": {
            attribute.name: obedience(Judge.load(path), attribute, drawn)
            for attribute in attributes_of(plan.domain)
            if (path := judge_file(plan.judges, plan.domain, attribute.name)).is_file()
        },
    }
    if size > SIDE:
        large = eyes.look(_pictures(drawn.examples, size, plan), side=size)
        large_made = [eyes.look(made, side=size) for made in drawn.made]
        others = _others(eyes, size, plan)
        metrics["likeness"][str(size)] = likeness(large, large_made, others)
    if (path := matcher_file(plan.judges, plan.domain)).is_file():
        metrics["r_precision"] = r_precision(Matcher.load(path), drawn, seen, seen_made)
    pages = {"sheet.webp": contact_sheet(drawn), FIRST: first_pictures(drawn)}
    return Evaluation(metrics, pages)


def likeness(test: Seen, made: Sequence[Seen], others: Sequence[Seen]) -> dict[str, Any]:
    """How far the drawings are from the test pictures, and how far other real pictures are."""
    return {"made": _distances(test, made), "real": _distances(test, others)}


def _distances(test: Seen, sets: Sequence[Seen]) -> dict[str, Any]:
    """FD-Lite2, KID-Lite2 with the spread over its blocks, and IS-Lite2, each over the sets."""
    kernel = [measures.kernel_distance(test.embedding, seen.embedding) for seen in sets]
    frechet = [measures.frechet_distance(test.embedding, seen.embedding) for seen in sets]
    return {
        "fd_lite2": asdict(mean_of(frechet)),
        "kid_lite2": asdict(mean_of([found.distance for found in kernel])),
        "kid_block_std": float(np.mean([found.block_std for found in kernel])),
        "is_lite2": asdict(mean_of([measures.class_score(seen.classes) for seen in sets])),
    }


def r_precision(
    matcher: Matcher, drawn: Drawings, seen: Seen, seen_made: Sequence[Seen]
) -> dict[str, Any]:
    """How often a picture's own caption is nearest to it, of drawings and of real pictures."""
    captions = [example.captions for example in drawn.examples]
    hits: dict[str, list[NDArray[np.bool_]]] = {"made": [], "real": []}
    for seed, (asked, made) in enumerate(zip(drawn.asked, seen_made, strict=True)):
        choices = candidates(captions, asked, seed)
        hits["made"].append(found_own(matcher, made.pooled, choices))
        hits["real"].append(found_own(matcher, seen.pooled, choices))
    shares = {kind: asdict(share_of(np.stack(found, axis=1))) for kind, found in hits.items()}
    return {"candidates": CANDIDATES, "chance": 1 / CANDIDATES} | shares


def obedience(judge: Judge, attribute: Attribute, drawn: Drawings) -> dict[str, Any]:
    """How often the judge sees the one value that the caption names, by value and over all."""
    asked = np.array([[attribute.said(text) or "" for text in texts] for texts in drawn.asked]).T
    made = np.array([judge.decide(made) for made in drawn.made]).T
    real = np.repeat(np.array(judge.decide(drawn.real))[:, None], asked.shape[1], axis=1)
    values = [value for value in attribute.judged if (asked == value).any()]
    return {
        kind: {v: asdict(share_of(seen == asked, asked == v)) for v in values}
        | {"all": asdict(share_of(seen == asked, asked != ""))}
        for kind, seen in (("made", made), ("real", real))
    }


def variety(eyes: Lite2, drawn: Drawings) -> dict[str, float]:
    """Mean distance between pictures, as shares of that between real test pictures.

    `same_caption`: drawings of one caption by other noise. A generator that draws one picture for
    each caption, whatever the noise, has 0. `other_captions`: drawings of different captions.
    """
    seen = eyes.look(drawn.variants.flatten(0, 1)).embedding
    by_caption = seen.unflatten(0, drawn.variants.shape[:2])  # (M, V, 1280)
    real = measures.mean_distance(eyes.look(drawn.real).embedding)
    return {
        "captions": len(drawn.variants),
        "same_caption": measures.mean_distance(by_caption) / real,
        "other_captions": measures.mean_distance(by_caption.transpose(0, 1)) / real,
    }


def contact_sheet(drawn: Drawings) -> Image.Image:
    """The first captions, each above its real picture and its drawings. Not to be passed on."""
    pairs = zip(drawn.real[: len(drawn.variants)], drawn.variants, strict=True)
    rows = [[real, *row(made)] for real, made in pairs]
    return sheet(rows, drawn.asked[0][: len(rows)], side=96)


def first_pictures(drawn: Drawings) -> Image.Image:
    """One drawing for each of the first captions, in their order, eight a row."""
    pictures = row(drawn.variants[:, 0])
    rows = [pictures[first : first + 8] for first in range(0, len(pictures), 8)]
    return sheet(rows)


def report(metrics: Mapping[str, Any], console: Console) -> None:
    """Print the numbers for a person."""
    title = (
        f"{metrics['checkpoint']}: {metrics['pictures']} test captions, {metrics['seeds']} seeds"
    )
    table = Table("measure", "drawings", "real pictures", title=title)
    for side, found in metrics["likeness"].items():
        for key, name in (("fd_lite2", "FD"), ("kid_lite2", "KID"), ("is_lite2", "IS")):
            figures = (_mean(found[kind][key]) for kind in ("made", "real"))
            table.add_row(f"{name}-Lite2 at {side} px", *figures)
    if found := metrics.get("r_precision"):
        table.add_row("R-precision, chance 1 %", written(found["made"]), written(found["real"]))
    for name, found in metrics["attributes"].items():
        for value, share in found["made"].items():
            table.add_row(f"{name} {value}", written(share), written(found["real"][value]))
    varied = metrics["variety"]
    table.add_row("variety, one caption", f"{varied['same_caption']:.2f}", "")
    table.add_row("variety, other captions", f"{varied['other_captions']:.2f}", "1.00")
    table.caption = (
        "mean (95 % interval). Real pictures: as many of the training split for FD, KID and IS, "
        "the test pictures themselves for the rest"
    )
    console.print(table)


def _mean(found: Mapping[str, Any]) -> str:
    return f"{found['mean']:.4g} ({found['low']:.4g} to {found['high']:.4g})"


def _pictures(examples: Sequence[Example], side: int, plan: Plan) -> Tensor:
    """(N, 3, side, side) in [-1, 1]."""
    return to_tensor(np.array(cached_pictures(examples, side, plan.cache)))


def _others(eyes: Lite2, side: int, plan: Plan) -> list[Seen]:
    """Real pictures of the training split, as many as are measured, one draw a seed."""
    examples = read_split(plan.data, "train")
    draws = [
        np.random.default_rng(seed).permutation(len(examples))[: plan.pictures]
        for seed in plan.seeds
    ]
    rows = sorted(set(np.concatenate(draws).tolist()))
    seen = eyes.look(_pictures([examples[i] for i in rows], side, plan), side=side)
    places = [torch.from_numpy(np.searchsorted(rows, drawn)) for drawn in draws]
    return [Seen(*(part[place] for part in seen)) for place in places]
