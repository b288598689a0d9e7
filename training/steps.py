"""What the optimiser steps of several trainers have in common."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from training.loop import average_gradients


def adam(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Adam:
    """With the betas that GANs are trained with."""
    return torch.optim.Adam(parameters, lr=rate, betas=(0.5, 0.999), fused=True)


def descend(
    optimizer: torch.optim.Optimizer,
    losses: Mapping[str, Tensor],
    *,
    clip: tuple[list[nn.Parameter], float] | None = None,
) -> None:
    """One step down the sum of the losses, with gradients averaged over all processes.

    `clip`: parameters whose gradients, taken together, are no longer than a length.
    """
    optimizer.zero_grad(set_to_none=True)
    torch.stack([loss.float() for loss in losses.values()]).sum().backward()
    average_gradients(p for group in optimizer.param_groups for p in group["params"])
    if clip:
        nn.utils.clip_grad_norm_(*clip)
    optimizer.step()


def set_rate(optimizers: Iterable[torch.optim.Optimizer], rate: float) -> None:
    """Learning rate of the next step."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def faded(rate: float, step: int, *, steps: int, fade: float) -> float:
    """`rate`, going straight down to 0 over the last share `fade` of the steps; 0: it stays."""
    return rate * min(1.0, max(0, steps - step) / (fade * steps)) if fade else rate


def halved(rate: float, pictures: int, *, every: int | None) -> float:
    """`rate`, halved each time that so many pictures were seen; None: it stays."""
    return rate * 0.5 ** (pictures // every) if every else rate


class Schedule(Protocol):
    """What a recipe says of the rate at which networks learn."""

    @property
    def learning_rate(self) -> float: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def halve_every(self) -> int | None: ...  # pictures

    @property
    def fade(self) -> float: ...


def scheduled(recipe: Schedule, step: int, *, steps: int) -> float:
    """The rate at this step of so many."""
    pictures = step * recipe.batch_size
    rate = halved(recipe.learning_rate, pictures, every=recipe.halve_every)
    return faded(rate, step, steps=steps, fade=recipe.fade)


@contextmanager
def held(parameters: list[nn.Parameter]) -> Iterator[None]:
    """No gradients for these parameters meanwhile; they still pass them on."""
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


def shrunk(image: Tensor, side: int) -> Tensor:
    """(B, 3, S, S) -> (B, 3, side, side), each pixel the mean of those it covers."""
    return image if image.shape[-1] == side else interpolate(image, (side, side), mode="area")
