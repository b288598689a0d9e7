"""Judges: which colour are the petals, how long the sleeves? For measuring, never for training.

A judge learns from real pictures alone and no trainer sees it. It shares no features with what
generators are trained against (Lite0): it looks through the frozen Lite2, which tells it where the
garment or flower is, and through a few convolutions of its own, which keep the colour.

    python -m training.judge --data .data/flowers
    python -m training.judge --data .data/clothes --attribute sleeves

Shapes: B batch, C channels, K values; pictures are 64 pixels a side.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu

from models.lite import load_lite
from training.attributes import Attribute, find_attribute
from training.data import cached_pictures, read_split, to_tensor
from training.disturbance import MARGIN, disturbed
from training.evaluation import JUDGES
from training.lite2 import SIDE, resized

_GRID = 16  # cells a side, where colour and place meet
_HELD_OUT = 7  # one training picture in so many is held out, to choose settings by
_FORMAT = "wordbrush-judge-2"


class BadJudge(ValueError):
    """The file is not a judge."""


class Head(nn.Module):
    """What a judge learns: colours from the pixels, places from the frozen maps, then a vote."""

    def __init__(self, map_channels: Sequence[int], values: int) -> None:
        super().__init__()
        self.pixels = nn.Sequential(_conv(3, 24, 2), _conv(24, 48), _conv(48, 48, 2))
        self.narrow = nn.ModuleList(_conv(c, 24, kernel=1) for c in map_channels)
        self.mix = nn.Sequential(_conv(48 + 24 * len(map_channels), 96), _conv(96, 96))
        self.where = nn.Conv2d(96, 4, 1)
        self.what = nn.Conv2d(96, 64, 1)
        self.vote = nn.Sequential(nn.Dropout(0.3), nn.Linear(4 * 64, values))

    def forward(self, image: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """(B, 3, 64, 64) and frozen maps (B, C, h, w) -> (B, K) logits."""
        places = [_to_grid(narrow(m)) for narrow, m in zip(self.narrow, maps, strict=True)]
        h = self.mix(torch.cat([self.pixels(image), *places], dim=1))
        attention = self.where(h).flatten(2).float().softmax(-1)  # (B, 4, cells)
        found = self.what(h).flatten(2).float()  # (B, 64, cells)
        pooled = torch.einsum("bkn,bcn->bkc", attention, found).flatten(1)
        return self.vote(relu(pooled))


class Judge(nn.Module):
    """Names the value of one attribute on pictures of one domain."""

    def __init__(self, domain: str, attribute: str, values: Sequence[str]) -> None:
        super().__init__()
        self.domain, self.attribute, self.values = domain, attribute, tuple(values)
        self.eyes = load_lite("lite2")
        self.head = Head(self.eyes.cfg.tap_channels[:3], len(self.values))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, 64, 64) in [-1, 1] -> (B, K) logits."""
        return self.head(image, self.eyes.features(image, taps=3))

    @torch.inference_mode()
    def shares(self, images: Tensor, batch: int = 128) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, K) probabilities, each picture seen both ways round.

        In evaluation mode; in bfloat16, which the judge was trained in.
        """
        found = []
        for first in range(0, len(images), batch):
            image = resized(images[first : first + batch], SIDE).contiguous(
                memory_format=torch.channels_last
            )
            with torch.autocast(image.device.type, torch.bfloat16):
                logits = torch.stack([self(image), self(image.flip(3))])
            found.append(logits.float().softmax(-1).mean(0))
        return torch.cat(found)

    def decide(self, images: Tensor) -> list[str]:
        """(B, 3, S, S) in [-1, 1] -> B values."""
        return [self.values[i] for i in self.shares(images).argmax(1).tolist()]

    def save(self, path: Path) -> None:
        """Write what was learnt; the frozen part is in checkpoints/encoders/."""
        about = {"domain": self.domain, "attribute": self.attribute, "values": self.values}
        fields = {"format": _FORMAT} | about
        path.parent.mkdir(parents=True, exist_ok=True)
        weights = {key: value.contiguous() for key, value in self.head.state_dict().items()}
        save_file(weights, path, {"wordbrush": json.dumps(fields)})

    @classmethod
    def load(cls, path: Path) -> "Judge":
        """The judge in a file, in evaluation mode.

        Raises:
            BadJudge: the file is something else.
        """
        with safe_open(path, framework="pt") as file:
            fields = json.loads((file.metadata() or {}).get("wordbrush", "{}"))
            if fields.get("format") != _FORMAT:
                raise BadJudge(f"{path} is no judge: its format is {fields.get('format')!r}")
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        judge = cls(fields["domain"], fields["attribute"], fields["values"])
        judge.head.load_state_dict(weights, strict=True)
        return judge.eval()


def judge_file(folder: Path, domain: str, attribute: str) -> Path:
    """Where the judge of an attribute lies, such as flowers-colour.safetensors."""
    return folder / f"{domain}-{attribute}.safetensors"


@dataclass(frozen=True)
class Labelled:
    """Real pictures whose captions give them a clear value."""

    pictures: NDArray[np.uint8]  # (N, side, side, 3)
    values: tuple[str, ...]  # N names

    def take(self, rows: Sequence[int]) -> "Labelled":
        return Labelled(self.pictures[rows], tuple(self.values[row] for row in rows))


def labelled(
    data: Path, split: str, attribute: Attribute, *, cache: Path, side: int = SIDE
) -> Labelled:
    """The clear ones of a split, in order, as centre squares of `side` pixels."""
    examples = read_split(data, split)
    named = [attribute.own(example.captions) for example in examples]
    rows = [row for row, value in enumerate(named) if value in attribute.judged]
    pictures = cached_pictures(examples, side, cache)
    return Labelled(pictures[rows], tuple(named[row] or "" for row in rows))


def accuracy(judge: Judge, real: Labelled) -> dict[str, float]:
    """Share of pictures judged as labelled: of each value that occurs, and of "all"."""
    decided = judge.decide(to_tensor(real.pictures))
    right = np.array([d == v for d, v in zip(decided, real.values, strict=True)])
    truth = np.array(real.values)
    each = {v: float(right[truth == v].mean()) for v in judge.values if v in real.values}
    return each | {"all": float(right.mean())}


def train(judge: Judge, real: Labelled, *, epochs: int, seed: int, batch: int = 64) -> None:
    """Fit the judge's head; `real` has pictures with a margin to crop from."""
    draw = np.random.default_rng(seed)
    targets = torch.tensor([judge.values.index(value) for value in real.values])
    steps = epochs * (len(targets) // batch)
    optimiser = torch.optim.AdamW(judge.head.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, steps, pct_start=0.15)
    judge.train()
    for rows in track(_batches(len(targets), batch, epochs, draw), "training", total=steps):
        image = disturbed(to_tensor(real.pictures[rows]), draw)
        with torch.autocast("cpu", torch.bfloat16):
            logits = judge(image)
        optimiser.zero_grad()
        loss = cross_entropy(logits.float(), targets[rows], label_smoothing=0.05)
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    judge.eval()


def main(
    data: Annotated[Path, typer.Option(help="Folder with train/ and test/.")],
    attribute: Annotated[str, typer.Option(help="What to judge, such as colour.")] = "colour",
    out: Annotated[Path, typer.Option(help="Folder of judges.")] = JUDGES,
    domain: Annotated[str | None, typer.Option(help="Default: the folder's name.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training pictures.")] = 12,
    seed: Annotated[int, typer.Option(help="Of weights, order and disturbances.")] = 0,
) -> None:
    """Train a judge on real pictures and say how often it is right on test pictures."""
    domain = domain or data.resolve().name
    chosen = find_attribute(domain, attribute)
    cache = Path(".cache")
    torch.manual_seed(seed)
    judge = Judge(domain, attribute, chosen.judged)
    wide = labelled(data, "train", chosen, cache=cache, side=MARGIN)
    whole = labelled(data, "train", chosen, cache=cache)
    rows = range(len(wide.values))
    train(judge, wide.take([r for r in rows if r % _HELD_OUT]), epochs=epochs, seed=seed)
    judge.save(judge_file(out, domain, attribute))
    parts = {
        "held-out part of train": whole.take(list(rows[::_HELD_OUT])),
        "test": labelled(data, "test", chosen, cache=cache),
    }
    for name, real in parts.items():
        found = ", ".join(f"{v} {share:.1%}" for v, share in accuracy(judge, real).items())
        Console().print(f"{name}, {len(real.values)} pictures: {found}")


def _batches(
    count: int, size: int, epochs: int, draw: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Row numbers, in a new order each epoch; the odd ones at its end are left out."""
    for _ in range(epochs):
        order = draw.permutation(count)[: count // size * size]
        yield from np.sort(order.reshape(-1, size), axis=1)


def _conv(c_in: int, c_out: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU())


def _to_grid(maps: Tensor) -> Tensor:
    return resized(maps, _GRID)


if __name__ == "__main__":
    typer.run(main)
