"""Which file is which network, and each entry to its place.

A paper's file here gives `to_upstream`: our name of an entry -> the authors'. The way back is read
off it, so the two can't disagree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.base import System
from models.import_upstream.reader import State, WordVectors, read_vectors

ToUpstream = Callable[[str], str]

_COUNTER = "num_batches_tracked"  # not in files of 2018, and nothing reads it
_SHOWN = 8


class NotTheseWeights(ValueError):
    """The entries are not those of the network; lists what is missing and what is unexpected."""


class MissingFile(ValueError):
    """A file that the system also needs was not given."""


@dataclass(frozen=True)
class Handed:
    """What a person gave, by kind."""

    weights: Mapping[str, State]  # by the file's name
    vectors: Path | None = None
    vocabulary: tuple[str, ...] | None = None

    def by_role(self, markers: Mapping[str, str]) -> dict[str, tuple[str, State]]:
        """Which file has which role, each role told by an entry that only it has.

        The last file goes to the last role even without its entry, so that it is refused with a
        list of what it lacks.

        Raises:
            MissingFile: there are fewer files than roles, or more.
        """
        rest = dict(self.weights)
        found: dict[str, tuple[str, State]] = {}
        for role, marker in markers.items():
            if name := next((n for n, state in rest.items() if marker in state), None):
                found[role] = (name, rest.pop(name))
        open_roles = [role for role in markers if role not in found]
        if len(open_roles) == len(rest) == 1:
            found[open_roles[0]] = rest.popitem()
        elif open_roles:
            raise MissingFile(f"the file with the {open_roles[0]} is missing")
        elif rest:
            raise NotTheseWeights(f"{', '.join(rest)}: not needed; wanted {', '.join(markers)}")
        return found

    def word_vectors(self, width: int) -> WordVectors:
        """The vectors that the network was trained with.

        Raises:
            MissingFile: none were given.
            UnreadableFile: they are of another width, or no vectors.
        """
        if self.vectors is None:
            raise MissingFile(f"word vectors are missing: fastText's .vec file, {width} wide")
        return read_vectors(self.vectors, width)


Convert = Callable[[Handed], System]


@torch.no_grad()
def load_into(network: nn.Module, state: State, to_upstream: ToUpstream, origin: str) -> None:
    """Copy each of the authors' entries to its place in `network`.

    Raises:
        NotTheseWeights: an entry is missing, unexpected or of another shape.
    """
    wanted = upstream_state(network, to_upstream)
    given = {key: value for key, value in state.items() if not key.endswith(_COUNTER)}
    reshaped = [
        key for key in wanted.keys() & given.keys() if wanted[key].shape != given[key].shape
    ]
    complaints = (
        _listed("missing", [key for key in wanted if key not in given]),
        _listed("unexpected", [key for key in given if key not in wanted]),
        _listed(
            "of another shape",
            [f"{k} {_shape(given[k])} for {_shape(wanted[k])}" for k in sorted(reshaped)],
        ),
    )
    if any(complaints):
        raise NotTheseWeights(f"{origin} does not fit: " + "; ".join(filter(None, complaints)))
    for key, value in wanted.items():
        value.copy_(given[key])


def upstream_state(network: nn.Module, to_upstream: ToUpstream) -> dict[str, Tensor]:
    """The network's entries under the authors' names; the tensors are its own, not copies."""
    state = network.state_dict()
    return {to_upstream(k): value for k, value in state.items() if not k.endswith(_COUNTER)}


def size_of(state: State, key: str, axis: int) -> int | None:
    """How long an entry is along `axis`; None where there is no such entry or axis."""
    value = state.get(key)
    return value.shape[axis] if value is not None and value.ndim > axis else None


def _listed(what: str, entries: list[str]) -> str:
    if not entries:
        return ""
    more = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    return f"{what}: {', '.join(entries[:_SHOWN])}{more}"


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape))
