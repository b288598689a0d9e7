"""The papers' claims, each checked by leaving one part out: same budget, one table.

    python -m training.ablations --data .data/flowers --encoders damsm.safetensors

Every row is trained and evaluated by the ordinary commands, in a folder of its own under
.runs/ablations/. Stop it whenever you like: the same command goes on where it was.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from training.__main__ import app
from training.lite2 import SIDE

_FOLDER = Path(".runs") / "ablations"


@dataclass(frozen=True)
class Row:
    """One training run."""

    command: str  # of `python -m training`
    without: str  # what is left out; "" for the whole system
    settings: tuple[str, ...] = ()  # of --set

    @property
    def folder(self) -> str:
        return "-".join([self.command, *self.without.split()])


ROWS = (
    Row("gan-int-cls", ""),
    Row("gan-int-cls", "feature discriminator", ("lambda_feature=0", "cls_weight=0.5")),
    Row("gan-int-cls", "feature and matching-aware discriminators", ("lambda_feature=0",)),
    Row("gan-int-cls", "GAN-INT", ("lambda_int=0",)),
    Row("stackgan-v2", ""),
    Row("stackgan-v2", "JCU", ("model.jcu=false",)),
    Row("stackgan-v2", "CA", ("model.augments=false",)),
    Row("attngan", ""),
    Row("attngan", "DAMSM", ("lambda_damsm=0",)),
    Row("tagan", ""),
    Row("tagan", "word-level discriminators", ("model.word_level=false",)),
)


@dataclass(frozen=True)
class Budget:
    """What every row gets, and what it is measured on."""

    data: Path
    encoders: Path | None  # of AttnGAN; without it, its rows are passed over
    steps: int
    pictures: int
    seed: int


def measured(row: Row, budget: Budget, folder: Path) -> Mapping[str, Any]:
    """The row's metrics, trained and evaluated unless that is done."""
    out = folder / row.folder
    if not (metrics := out / "evaluation" / "metrics.json").exists():
        options: list[Any] = ["--data", budget.data, "--run", out, "--seed", budget.seed]
        options += ["--steps", budget.steps]
        options += [part for setting in row.settings for part in ("--set", setting)]
        options += ["--encoders", budget.encoders] if row.command == "attngan" else []
        _command(row.command, *options)
        (checkpoint,) = (p for p in out.glob("*.safetensors"))
        where = ["--pictures", budget.pictures, "--out", metrics.parent]
        _command("evaluate", checkpoint, "--data", budget.data, *where)
    found: dict[str, Any] = json.loads(metrics.read_text(encoding="utf-8"))
    return found


def _command(*arguments: Any) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


def table(found: Iterable[tuple[Row, Mapping[str, Any]]]) -> list[str]:
    """Markdown: likeness, obedience and variety of drawings, obedience and L2 of edits."""
    lines = [
        "| trainer | without | FD-Lite2 | R-precision | colour | variety | L2 |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, metrics in found:
        cells = _drawing_cells(metrics) if "likeness" in metrics else _edit_cells(metrics)
        lines.append(f"| {' | '.join([row.command, row.without, *cells])} |")
    return lines


def _drawing_cells(metrics: Mapping[str, Any]) -> Sequence[str]:
    likeness = metrics["likeness"][str(SIDE)]["made"]["fd_lite2"]
    found, colour = metrics.get("r_precision"), metrics["attributes"].get("colour")
    return (
        f"{likeness['mean']:.1f}",
        f"{found['made']['share']:.1%}" if found else "",
        f"{colour['made']['all']['share']:.1%}" if colour else "",
        f"{metrics['variety']['same_caption']:.2f}",
        "",
    )


def _edit_cells(metrics: Mapping[str, Any]) -> Sequence[str]:
    changed = metrics["attributes"]["colour"]["template"]["changed"]["all"]
    l2 = metrics["reconstruction"]["rmse"]["mean"]
    return ("", "", f"{changed['share']:.1%}", "", f"{l2:.3f}")


def main(
    data: Annotated[Path, typer.Option(help="Folder with train/ and test/.")],
    encoders: Annotated[
        Path | None, typer.Option(help="damsm.safetensors, for the rows of AttnGAN.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Of every row.")] = 3_000,
    pictures: Annotated[int, typer.Option(help="Test pictures to measure on.")] = 500,
    seed: Annotated[int, typer.Option(help="Of weights, order and noise.")] = 0,
    folder: Annotated[Path, typer.Option(help="Where the runs are kept.")] = _FOLDER,
) -> None:
    """Train each row, measure it, and print the table after each."""
    budget = Budget(data, encoders, steps, pictures, seed)
    done: list[tuple[Row, Mapping[str, Any]]] = []
    for row in ROWS:
        if row.command == "attngan" and encoders is None:
            continue
        done.append((row, measured(row, budget, folder)))
        typer.echo("\n".join(table(done)))


if __name__ == "__main__":
    typer.run(main)
