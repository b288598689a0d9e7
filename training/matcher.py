"""A matcher: which caption goes with a picture? For measuring, never for training.

R-precision asks it which of 100 captions is nearest to a drawing. It learns from real pictures of
the training split alone; it sees what the frozen Lite2 sees, which no trainer looks through, and
reads with words of its own, so that no generator was trained against any part of it.

Source of the loss: Oord et al., arXiv:1807.03748 (InfoNCE), both ways as in Radford et al.,
ICML 2021, arXiv:2103.00020.

    python -m training.matcher --data .data/flowers

Shapes: B batch, N pictures, F width of what Lite2 sees, T words, D width that both sides share.
"""

import json
import random
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from itertools import chain, cycle, islice
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
from torch.nn.functional import cross_entropy, normalize

from models.text.bigru import BiGRU
from models.text.rows import word_rows
from models.text.vocabulary import PAD, UNKNOWN, Vocabulary
from training.data import BadData
from training.evaluation import JUDGES, written
from training.lite2 import WIDTH
from training.measures import best_of, share_of
from training.pairs import Pairs, pairs_of

_FORMAT = "wordbrush-matcher-1"
_HELD_OUT = 14  # one training picture in so many is held out, to stop by
_READ = 512  # captions at once
_FORGOTTEN = 0.1  # share of words shown as unknown in training
CANDIDATES = 100  # captions that R-precision chooses from


class BadMatcher(ValueError):
    """The file is not a matcher."""


@dataclass(frozen=True)
class Config:
    """Network sizes."""

    word_dim: int = 96
    dim: int = 128  # D
    hidden: int = 512  # width of the picture's side
    max_words: int = 30  # T at most; what comes later is not read


class Sentences(nn.Module):
    """Captions to vectors: words, a recurrent look at their order, a projection."""

    def __init__(self, cfg: Config, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, cfg.word_dim, padding_idx=PAD)
        self.drop = nn.Dropout(0.3)
        self.order = BiGRU(cfg.word_dim, cfg.dim)
        self.project = nn.Linear(cfg.dim, cfg.dim)

    def forward(self, index: Tensor) -> Tensor:
        """(B, T) word indices -> (B, D) of length 1."""
        text = self.order(self.drop(self.embedding(index)), index != PAD)
        return normalize(self.project(text.sentence), dim=1)


class Pictures(nn.Module):
    """What Lite2 sees, brought to one scale, to vectors."""

    mean: Tensor
    spread: Tensor

    def __init__(self, cfg: Config, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.layers = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(width, cfg.hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(cfg.hidden, cfg.dim),
        )

    def fit_scale(self, seen: Tensor) -> None:
        """Take mean and spread from these pictures, (N, F)."""
        self.mean.copy_(seen.mean(0))
        self.spread.copy_(seen.std(0) + 1e-3)

    def forward(self, seen: Tensor) -> Tensor:
        """(B, F) -> (B, D) of length 1."""
        scaled = ((seen - self.mean) / self.spread).clamp(-8, 8)
        return normalize(self.layers(scaled), dim=1)


class Matcher(nn.Module):
    """Puts pictures and captions of one domain where those that go together are near."""

    def __init__(self, domain: str, vocabulary: Vocabulary, cfg: Config) -> None:
        super().__init__()
        self.domain, self.vocabulary, self.cfg = domain, vocabulary, cfg
        self.pictures = Pictures(cfg, WIDTH)
        self.sentences = Sentences(cfg, len(vocabulary))
        self.log_scale = nn.Parameter(torch.tensor(2.7))  # of the cosines in the loss

    @torch.inference_mode()
    def see(self, seen: Tensor) -> Tensor:
        """(N, F) of N pictures -> (N, D) of length 1."""
        return self.pictures(seen)

    @torch.inference_mode()
    def read(self, captions: Sequence[str]) -> Tensor:
        """N captions -> (N, D) of length 1."""
        parts = (captions[i : i + _READ] for i in range(0, len(captions), _READ))
        words, most = self.vocabulary, self.cfg.max_words
        return torch.cat([self.sentences(word_rows(part, words, most)) for part in parts])

    def loss(self, seen: Tensor, captions: Sequence[str], draw: random.Random) -> Tensor:
        """InfoNCE of (B, F) and a caption of each, both ways; some words are not shown.

        Another picture's caption of the same words is no mismatch.
        """
        index = word_rows(captions, self.vocabulary, self.cfg.max_words)
        forgotten = torch.tensor([[draw.random() < _FORGOTTEN for _ in row] for row in index])
        read = self.sentences(index.masked_fill(forgotten & (index != PAD), UNKNOWN))
        logits = self.log_scale.exp() * self.pictures(seen) @ read.T
        alike = (index[:, None] == index[None]).all(-1).fill_diagonal_(False)
        logits, own = logits.masked_fill(alike, -torch.inf), torch.arange(len(index))
        return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2

    def save(self, path: Path) -> None:
        """Write what was learnt as float16; the frozen part is in checkpoints/encoders/."""
        about = {"domain": self.domain, "words": self.vocabulary.words, "config": asdict(self.cfg)}
        fields = {"format": _FORMAT} | about
        path.parent.mkdir(parents=True, exist_ok=True)
        weights = {key: value.half().contiguous() for key, value in self.state_dict().items()}
        save_file(weights, path, {"wordbrush": json.dumps(fields)})

    @classmethod
    def load(cls, path: Path) -> "Matcher":
        """The matcher in a file, in evaluation mode.

        Raises:
            BadMatcher: the file is something else.
        """
        with safe_open(path, framework="pt") as file:
            fields = json.loads((file.metadata() or {}).get("wordbrush", "{}"))
            if fields.get("format") != _FORMAT:
                raise BadMatcher(f"{path} is no matcher: its format is {fields.get('format')!r}")
            weights = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
        matcher = cls(
            fields["domain"], Vocabulary(tuple(fields["words"])), Config(**fields["config"])
        )
        matcher.load_state_dict(weights, strict=True)
        return matcher.eval()


def candidates(
    captions: Sequence[Sequence[str]], asked: Sequence[str], seed: int
) -> list[list[str]]:
    """For each picture the caption asked for, then 99 of other pictures, none of them its own.

    `captions` are those of every picture, `asked` is one of each. Where there are fewer than 99
    others, they are repeated.

    Raises:
        BadData: all pictures have the same captions.
    """
    rng = np.random.default_rng(seed)
    found = []
    for own, caption in zip(captions, asked, strict=True):
        others = (captions[i] for i in rng.permutation(len(captions)))
        drawn = (texts[int(rng.integers(len(texts)))] for texts in others)
        wrong = list(islice((text for text in drawn if text not in own), CANDIDATES - 1))
        if not wrong:
            raise BadData(f"no captions but those of one picture, such as {caption!r}")
        found.append([caption, *islice(cycle(wrong), CANDIDATES - 1)])
    return found


def found_own(
    matcher: Matcher, seen: Tensor, choices: Sequence[Sequence[str]]
) -> NDArray[np.bool_]:
    """(N, F) and their candidates -> (N,), whether the first is nearest: R-precision, R = 1."""
    known = {text: row for row, text in enumerate(dict.fromkeys(chain(*choices)))}
    read = matcher.read(list(known))
    rows = torch.tensor([[known[text] for text in choice] for choice in choices])
    return best_of(matcher.see(seen), read[rows])


def train(
    matcher: Matcher, real: Pairs, held: Pairs, *, epochs: int, seed: int, batch: int = 256
) -> float:
    """Fit the matcher, and leave it as it was when held-out pictures found their captions best.

    Returns the share of them that did.
    """
    draw, order = random.Random(seed), np.random.default_rng(seed)
    matcher.pictures.fit_scale(real.seen[0])
    choices = candidates(held.captions, [texts[0] for texts in held.captions], seed)
    steps = epochs * (len(real.captions) // batch)
    optimiser = torch.optim.AdamW(matcher.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, steps, pct_start=0.1)
    best, state = -1.0, matcher.state_dict()
    for _ in track(range(epochs), "training"):
        matcher.train()
        shuffled = order.permutation(len(real.captions))
        for rows in shuffled[: len(shuffled) // batch * batch].reshape(-1, batch).tolist():
            views = torch.from_numpy(order.integers(len(real.seen), size=batch))
            texts = [draw.choice(real.captions[row]) for row in rows]
            loss = matcher.loss(real.seen[views, rows], texts, draw)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        matcher.eval()
        if (share := float(found_own(matcher, held.seen[0], choices).mean())) >= best:
            best, state = share, deepcopy(matcher.state_dict())
    matcher.load_state_dict(state)
    return best


def matcher_file(folder: Path, domain: str) -> Path:
    """Where a domain's matcher lies."""
    return folder / f"matcher-{domain}.safetensors"


def main(
    data: Annotated[Path, typer.Option(help="Folder with train/ and test/.")],
    out: Annotated[Path, typer.Option(help="Folder of judges and matchers.")] = JUDGES,
    domain: Annotated[str | None, typer.Option(help="Default: the folder's name.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training pictures.")] = 24,
    views: Annotated[int, typer.Option(help="How often each picture is seen disturbed.")] = 1,
    seed: Annotated[int, typer.Option(help="Of weights, order and disturbances.")] = 0,
) -> None:
    """Train a matcher on real pictures and say how often test pictures find their captions."""
    domain = domain or data.resolve().name
    torch.manual_seed(seed)
    real = pairs_of(data, "train", cache=Path(".cache"), views=views)
    vocabulary = Vocabulary.build(chain(*real.captions))
    matcher = Matcher(domain, vocabulary, Config())
    rows = range(len(real.captions))
    shown = real.take([row for row in rows if row % _HELD_OUT])
    held = real.take(list(rows[::_HELD_OUT]))
    best = train(matcher, shown, held, epochs=epochs, seed=seed)
    matcher.save(matcher_file(out, domain))
    test = pairs_of(data, "test", cache=Path(".cache"))
    asked = [texts[0] for texts in test.captions]
    found = found_own(matcher, test.seen[0], candidates(test.captions, asked, seed))
    Console().print(
        f"nearest of {CANDIDATES} captions is their own: {best:.1%} of {len(held.captions)} "
        f"held-out training pictures, {written(share_of(found[:, None]))} of {len(asked)} test "
        f"pictures, 1 % by chance",
        soft_wrap=True,
    )


if __name__ == "__main__":
    typer.run(main)
