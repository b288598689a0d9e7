"""How often a search finds what fits: recall at K, as in the paper, on the public test split.

Source: Vo et al., CVPR 2019, arXiv:1812.07119, section 4. As in the authors' code, a query's own
picture is left out of what is found, and an answer is any picture that fits as the target does.
Shapes: Q queries, N pictures.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models import weights
from models.checkpoint import SUFFIX, Header, read_header
from models.lite import FOLDER
from models.text.rows import word_rows
from models.tirg import Network, Tirg
from training.data import read_split
from training.queries import Query, queries_of
from training.seen import SeenPictures

RANKS = (1, 5, 10, 50)
Half = Literal["both", "picture", "words"]
HALVES: tuple[Half, ...] = get_args(Half)
_BATCH = 200

T = TypeVar("T")


@torch.inference_mode()
def ranking(
    net: Network, pictures: SeenPictures, queries: Sequence[Query], half: Half = "both"
) -> NDArray[np.int64]:
    """(Q, N) rows of all pictures, nearest to each query first, its own picture last.

    With one `half` alone the network is told no more of a query than its picture or its words.
    """
    rows = range(len(pictures))
    phi = torch.cat([net.see(pictures.maps(part)) for part in _parts(rows)])
    gallery = net.place(phi)
    found = []
    for part in _parts(queries):
        index = word_rows([q.words for q in part], net.text.vocabulary, net.cfg.max_words)
        source = torch.cat(
            [
                net.absent(1) if q.source is None or half == "words" else phi[q.source, None]
                for q in part
            ]
        )
        asked = net.place(source) if half == "picture" else net.compose(source, net.text(index))
        scores = asked @ gallery.T
        for row, query in zip(scores, part, strict=True):
            if query.source is not None:
                row[query.source] = -torch.inf
        found.append(scores.argsort(dim=1, descending=True))
    return torch.cat(found).numpy()


def recall_at(
    ranks: Sequence[int], found: NDArray[np.int64], fits: NDArray[np.bool_]
) -> dict[str, float]:
    """Share of queries with an answer among the nearest k: (Q, N) rows and (Q, N) bool by row."""
    right = np.take_along_axis(fits, found, axis=1)
    return {f"recall@{k}": float(right[:, :k].any(1).mean()) for k in ranks}


def measure(system: Tirg, pictures: SeenPictures) -> dict[str, dict[str, float]]:
    """Recall by the way of asking, and where a query has a picture, by each half of it alone."""
    queries = queries_of(pictures.examples)
    measured = {}
    for way, asked in queries.benchmark().items():
        fits = queries.fitting(asked, range(len(pictures)))
        halves = HALVES if any(query.source is not None for query in asked) else HALVES[:1]
        for half in halves:
            found = ranking(system.network, pictures, asked, half)
            name = way if half == "both" else f"{way}: its {half} alone"
            measured[name] = {"queries": len(asked), **recall_at(RANKS, found, fits)}
    return measured


def main(
    models: Annotated[list[str], typer.Argument(help="Files, or ids of shipped checkpoints.")],
    data: Annotated[Path, typer.Option(help="Folder with test/metadata.jsonl and pictures.")],
    out: Annotated[Path, typer.Option(help="Where to.")] = Path(".runs/recall"),
) -> None:
    """Measure how often systems that search find what fits; write a metrics.json for each."""
    examples = read_split(data, "test")
    console = Console()
    for model in models:
        path = Path(model) if model.endswith(SUFFIX) else FOLDER.parent / f"{model}{SUFFIX}"
        header, system = read_header(path), weights.load(path)
        if not isinstance(system, Tirg):
            raise typer.BadParameter(f"{model} is no system that searches")
        pictures = SeenPictures(examples, image_size=header.image_size, cache=Path(".cache"))
        about = {"checkpoint": header.id, "steps": header.steps, "pictures": len(pictures)}
        metrics = about | {"form": form(header), "ways": measure(system, pictures)}
        file = out / header.id / f"{form(header).replace(', ', '-')}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
        console.print(_table(metrics))
        typer.echo(f"wrote {file}")


def form(header: Header) -> str:
    """What kind of network it is, such as "gated, pooled"."""
    cfg = header.config
    words = [cfg["composition"], cfg["level"], *(["attention"] if cfg["attention"] else [])]
    return ", ".join(words)


def _table(metrics: dict[str, Any]) -> Table:
    title = "{checkpoint} ({form}), {pictures} test pictures".format(**metrics)
    table = Table("asked for", "queries", *(f"recall@{k}" for k in RANKS), title=title)
    for way, row in metrics["ways"].items():
        shares = (f"{row[f'recall@{k}']:.1%}" for k in RANKS)
        table.add_row(way, f"{row['queries']:,}", *shares)
    return table


def _parts(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[first : first + _BATCH] for first in range(0, len(items), _BATCH)]
