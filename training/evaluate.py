"""How well a checkpoint edits: colours, background, reconstruction, on the public test split.

The first N test pictures, in the order of the file, none left out. Each is asked for each colour,
in two ways: by a template that says nothing else, and by its own caption with the colour exchanged.
A judge (training/judge.py) names the colour of the answer. An edit counts where the asked colour is
not the picture's own: the one its captions agree on or, where they don't, the one that the judge
sees in the source. The share over all edits is given beside.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from models import weights
from models.base import System
from models.checkpoint import Checkpoint, read_header, scan
from models.lite import FOLDER
from training import measures
from training.colours import Palette, find_palette
from training.data import Example, cached_pictures, read_split, to_tensor
from training.judge import Judge, accuracy, labelled
from training.measures import Share
from training.sheets import row, sheet

CHECKPOINTS = FOLDER.parent
_ON_SHEET = 10  # pictures
_REPEATED = 8  # pictures that are edited twice, one by one


@dataclass(frozen=True)
class TestSet:
    """The pictures that a checkpoint is measured on."""

    images: Tensor  # (N, 3, S, S) in [-1, 1]
    captions: tuple[tuple[str, ...], ...]  # N
    noise: Tensor  # (N, Z), the same for all edits of a picture
    own: tuple[str, ...]  # N colours

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class ColourEdits:
    """What became of the edits that were asked for in one way."""

    pictures: dict[str, Tensor]  # by asked colour, (N, 3, S, S)
    changed: dict[str, Share]  # by asked colour and "all": edits to another colour
    every: Share  # also those whose asked colour the picture had
    seen: dict[str, dict[str, int]]  # asked colour -> judged colour -> edits


def test_set(
    system: System, examples: Sequence[Example], judge: Judge, *, seed: int, cache: Path
) -> TestSet:
    """`examples` at the system's size, with the colour that each has."""
    side = system.cfg.image_size
    images = to_tensor(np.array(cached_pictures(examples, side, cache)))
    palette = find_palette(judge.domain)
    captions = tuple(example.captions for example in examples)
    own = tuple(
        palette.own(said) or seen for said, seen in zip(captions, judge.decide(images), strict=True)
    )
    rng = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(images), system.noise_dim, generator=rng)
    return TestSet(images, captions, noise, own)


@torch.inference_mode()
def edited(
    system: System, pictures: TestSet, captions: Sequence[str], *, batch: int = 50
) -> Tensor:
    """Each picture after its caption, (N, 3, S, S) in [-1, 1]."""
    found = []
    for first in range(0, len(captions), batch):
        part = slice(first, first + batch)
        prepared = system.prepare(pictures.images[part])
        text = system.encode_text(captions[part])
        found.append(system.manipulate(prepared, text, pictures.noise[part]).image)
    return torch.cat(found).clamp(-1, 1)


def template_captions(palette: Palette, pictures: TestSet, colour: str) -> list[str]:
    """The same caption for all, with nothing in it but the colour."""
    return [palette.template.format(colour=colour)] * len(pictures)


def own_captions(palette: Palette, pictures: TestSet, colour: str) -> list[str]:
    """Each picture's own caption with the colour exchanged; the template where it names none."""
    template = palette.template.format(colour=colour)
    return [palette.recoloured(said, colour) or template for said in pictures.captions]


WAYS = {"template": template_captions, "own caption": own_captions}


def colour_edits(system: System, pictures: TestSet, judge: Judge, way: str) -> ColourEdits:
    """All pictures in all colours; "all" is over the colours of the bar alone."""
    palette = find_palette(judge.domain)
    colours = (*palette.asked, *palette.also_asked)
    answers = {
        colour: edited(system, pictures, WAYS[way](palette, pictures, colour))
        for colour in track(colours, f"colours, by {way}")
    }
    verdicts = {colour: np.array(judge.decide(answers[colour])) for colour in colours}
    right = np.stack([verdicts[c] == c for c in colours], axis=1)
    another = np.stack([np.array(pictures.own) != c for c in colours], axis=1)
    bar = len(palette.asked)
    changed = {c: measures.share_of(right[:, [k]], another[:, [k]]) for k, c in enumerate(colours)}
    changed["all"] = measures.share_of(right[:, :bar], another[:, :bar])
    every = measures.share_of(right[:, :bar], np.ones_like(another[:, :bar]))
    return ColourEdits(answers, changed, every, {c: _counts(verdicts[c]) for c in colours})


def outside_change(pictures: TestSet, edits: ColourEdits, palette: Palette) -> float:
    """Mean absolute change, 0 to 1, of what the caption does not speak of, over the bar's colours.

    On a white ground: the near-white pixels joined to the border, for all pictures whose garment is
    not white itself, as its pixels can't be told from the ground. Else: a strip along the border.
    """
    if palette.on_white:
        mask = measures.white_ground(pictures.images)
        mask &= torch.tensor([colour != "white" for colour in pictures.own])[:, None, None, None]
    else:
        mask = measures.border(pictures.images)
    changes = [measures.change(pictures.images, edits.pictures[c], mask) for c in palette.asked]
    return torch.stack(changes).nanmean().item()


def caption_change(edits: ColourEdits, palette: Palette) -> float:
    """Mean absolute difference, 0 to 1, between a picture's edits to one colour and to the next."""
    pairs = pairwise(edits.pictures[colour] for colour in palette.asked)
    return float(np.mean([(a - b).abs().mean().item() / 2 for a, b in pairs]))


def is_deterministic(system: System, pictures: TestSet, caption: str) -> bool:
    """Whether the same picture, caption and noise give the same numbers, one picture at a time."""
    again = partial(edited, system, batch=1)
    few = TestSet(
        pictures.images[:_REPEATED],
        pictures.captions[:_REPEATED],
        pictures.noise[:_REPEATED],
        pictures.own[:_REPEATED],
    )
    captions = [caption] * len(few)
    return torch.equal(again(few, captions), again(few, captions))


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured."""

    pictures: TestSet
    edits: dict[str, ColourEdits]  # by way of asking
    metrics: dict[str, Any]  # what metrics.json has


def evaluate(system: System, pictures: TestSet, judge: Judge) -> Evaluation:
    """Measure `system` on `pictures`."""
    palette = find_palette(judge.domain)
    edits = {way: colour_edits(system, pictures, judge, way) for way in WAYS}
    rebuilt = edited(system, pictures, [said[0] for said in pictures.captions])
    template = edits["template"]
    metrics = {
        "pictures": len(pictures),
        "edits": {
            way: {
                "changed": {colour: asdict(share) for colour, share in found.changed.items()},
                "every": asdict(found.every),
                "seen": found.seen,
            }
            for way, found in edits.items()
        },
        "outside_change": {
            way: outside_change(pictures, found, palette) for way, found in edits.items()
        },
        "reconstruction": measures.reconstruction(pictures.images, rebuilt),
        "caption_change": caption_change(template, palette),
        "deterministic": is_deterministic(
            system, pictures, palette.template.format(colour=palette.asked[0])
        ),
    }
    return Evaluation(pictures, edits, metrics)


def main(
    model: Annotated[str, typer.Argument(help="A checkpoint's file, or its id.")],
    data: Annotated[Path, typer.Option(help="Folder with test/metadata.jsonl and pictures.")],
    judge: Annotated[Path | None, typer.Option(help="Default: the shipped one.")] = None,
    pictures: Annotated[int, typer.Option(help="Test pictures, from the first.")] = 500,
    out: Annotated[Path | None, typer.Option(help="Default: .runs/evaluation/ID.")] = None,
    seed: Annotated[int, typer.Option(help="Of the noise.")] = 0,
) -> None:
    """Measure a checkpoint on real test pictures; write metrics.json and a contact sheet."""
    checkpoint = _find(model)
    domain = checkpoint.header.domain
    cache = Path(".cache")
    judging = Judge.load(judge or CHECKPOINTS / "judges" / f"{domain}.safetensors")
    system = weights.load(checkpoint.path)
    examples = read_split(data, "test")[:pictures]
    result = evaluate(system, test_set(system, examples, judging, seed=seed, cache=cache), judging)
    real = accuracy(judging, labelled(data, "test", domain=domain, cache=cache))
    about = {"checkpoint": checkpoint.id, "steps": checkpoint.header.steps, "seed": seed}
    metrics = about | {"judge_on_real": real} | result.metrics
    folder = out or Path(".runs") / "evaluation" / checkpoint.id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    contact_sheet(result).save(folder / "sheet.webp", quality=90)
    report(metrics, find_palette(domain), Console())
    typer.echo(f"wrote {folder / 'metrics.json'} and {folder / 'sheet.webp'}")


def contact_sheet(result: Evaluation) -> Image.Image:
    """The first test pictures in the top row, below them their edits, one colour a row."""
    rows = {"source": result.pictures.images} | result.edits["template"].pictures
    return sheet([row(images[:_ON_SHEET]) for images in rows.values()], list(rows))


def report(metrics: dict[str, Any], palette: Palette, console: Console) -> None:
    """Print the numbers for a person."""
    table = Table(title=f"{metrics['checkpoint']}: {metrics['pictures']} test pictures")
    for heading in ("asked for", *(f"by {way}" for way in WAYS), "judge on real"):
        table.add_column(heading, justify="left" if heading == "asked for" else "right")
    for colour in (*palette.asked, "all", *palette.also_asked):
        shares = [_written(metrics["edits"][way]["changed"][colour]) for way in WAYS]
        real = metrics["judge_on_real"].get(colour)
        table.add_row(colour, *shares, "" if real is None else f"{real:.1%}")
    every = [_written(metrics["edits"][way]["every"]) for way in WAYS]
    table.add_row("all, own colour too", *every, "")
    table.caption = "share judged as asked (95 % interval), where the asked colour is another"
    console.print(table)
    where = "white ground" if palette.on_white else "strip along the border"
    for way, value in metrics["outside_change"].items():
        console.print(f"mean change of the {where}, by {way}: {value:.4f} of 1")
    rebuilt = metrics["reconstruction"]
    console.print(
        f"L2 error with the own caption, values in [-1, 1]: RMSE {rebuilt['rmse']:.3f}, "
        f"MSE {rebuilt['mse']:.4f}; values in [0, 1]: RMSE {rebuilt['rmse_unit']:.3f}",
        soft_wrap=True,
    )
    console.print(f"change from one caption to another: {metrics['caption_change']:.3f} of 1")
    console.print(f"same caption and seed, same numbers: {metrics['deterministic']}")


def _written(share: dict[str, Any]) -> str:
    """Share and interval, such as 61.2% (58-64)."""
    return f"{share['share']:.1%} ({100 * share['low']:.0f}-{100 * share['high']:.0f})"


def _counts(verdicts: np.ndarray) -> dict[str, int]:
    names, counts = np.unique(verdicts, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _find(model: str) -> Checkpoint:
    """The checkpoint in a file of this name, or with this id."""
    if (path := Path(model)).is_file():
        return Checkpoint(path, read_header(path))
    shipped = scan([CHECKPOINTS])
    if model not in shipped:
        known = ", ".join(shipped) or "none"
        raise typer.BadParameter(f"no file and no shipped checkpoint {model!r}; there is: {known}")
    return shipped[model]


if __name__ == "__main__":
    typer.run(main)
