"""Requests through a network in one pass: captions, pictures and noise in, answers out.

An interpolation is as many pictures of the pass as it has steps; others stand still at its start.
Shapes: V pictures in the pass (each request's in order), T words, S image side, Z noise width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.base import Output, Prepared, System, TextFeatures
from models.pictures import to_levels
from models.registry import Task
from worker.messages import Draw, Request
from worker.results import Answer
from worker.sources import Source

Asked = tuple[Request, Source | None]


@dataclass(frozen=True)
class Drawn:
    """What a network made of one request: as files show it, and as photos take it in."""

    answer: Answer
    image: Tensor  # (V, 3, S, S) in [-1, 1]
    keeps_photo: bool  # it is to be carried to the photo; else it is drawn anew


def forward(system: System, asked: Sequence[Asked]) -> list[Drawn]:
    """What the network makes of each request; all are for one task, which `system` does.

    Raises:
        EmptyCaption: a caption has no word.
    """
    drawn = [(request, source, draw) for request, source in asked for draw in request.draws]
    requests, sources, draws = (list(column) for column in zip(*drawn, strict=True))
    text = _text(system, requests, draws)
    noise = torch.stack([_noise(system, draw.seed) for draw in draws]).to(text.sentence)
    prepared = _prepared([source for source in sources if source], draws)
    output = system.manipulate(prepared, text, noise) if prepared else system.generate(text, noise)
    counts = [request.pictures for request, _ in asked]
    pairs = zip(_answer(output, text).split(counts), torch.split(output.image, counts), strict=True)
    return [Drawn(answer, image, system.keeps_photo) for answer, image in pairs]


def rehearse(system: System, device: torch.device) -> None:
    """One request's worth of work on a grey picture."""
    text = system.encode_text(["a picture"])
    noise = torch.zeros(1, system.noise_dim, device=device)
    side = system.cfg.image_size
    grey = torch.zeros(1, 3, side, side, device=device)
    if Task.MANIPULATE in system.tasks:
        system.manipulate(system.prepare(grey), text, noise)
    if Task.GENERATE in system.tasks:
        system.generate(text, noise)
    if Task.SEARCH in system.tasks:
        system.compose(system.prepare(grey), text)


def _answer(output: Output, text: TextFeatures) -> Answer:
    """Of all pictures of the pass."""
    return Answer(
        to_levels(output.image),
        tuple(to_levels(stage) for stage in output.stages),
        tuple(maps.float().cpu().numpy() for maps in output.attention),
        None if output.scores is None else output.scores.float().cpu().numpy(),
        text.mask.cpu().numpy(),
        text.parts or (text.mask.shape[1],),
    )


def _text(system: System, requests: Sequence[Request], draws: Sequence[Draw]) -> TextFeatures:
    """The captions, or what lies between two of them."""
    text = system.encode_text([request.caption for request in requests])
    if not any(request.caption_to for request in requests):
        return text
    to = system.encode_text([request.caption_to or request.caption for request in requests])
    return text.mix(to, _positions(draws, [request.caption_to is not None for request in requests]))


def _prepared(sources: Sequence[Source], draws: Sequence[Draw]) -> Prepared | None:
    """The pictures, or what lies between two of them; None where there are none."""
    if not sources:
        return None
    prepared = Prepared.stack([source.prepared for source in sources])
    if not any(source.to for source in sources):
        return prepared
    to = Prepared.stack([(source.to or source).prepared for source in sources])
    return prepared.mix(to, _positions(draws, [source.to is not None for source in sources]))


def _positions(draws: Sequence[Draw], moving: Sequence[bool]) -> Tensor:
    """(V,) in [0, 1], 0 for what does not move."""
    pairs = zip(draws, moving, strict=True)
    return torch.tensor([(draw.position or 0.0) * moves for draw, moves in pairs])


def _noise(system: System, seed: int) -> Tensor:
    """(Z,), drawn on the CPU so that a seed means the same on every device."""
    return torch.randn(system.noise_dim, generator=torch.Generator().manual_seed(seed))
