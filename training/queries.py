"""What people may ask of a library, made from a data set: a picture, words, and what fits both.

Source: Vo et al., CVPR 2019, arXiv:1812.07119, section 4.1 (Fashion200k): two pictures whose
attributes differ in one are source and target, and the text is "replace X with Y".
Not from the paper: words nearer to what people type; pairs that differ in two attributes; queries
without a picture; and data that have captions alone (`CaptionQueries`).
"""

import random
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.text.vocabulary import Vocabulary, tokenize
from training.data import COLOURS, Example, some_clauses

REPLACE = "replace {old} with {new}"  # the paper's
_REPLACEMENTS = (REPLACE, "change {old} to {new}", "{new} instead of {old}")
_OPENINGS = ("", "", "", "the same but ", "like this but ", "but ", "similar but ")
# How a value is asked for: attributes called so, and all others.
_WISHES: Mapping[str, tuple[str, ...]] = {
    "color": ("in {}", "{}", "a {} one"),
    "category": ("as a {}", "a {}", "{}"),
}
_OTHER_WISHES = ("with {}", "with {}", "{}")


@dataclass(frozen=True)
class Query:
    """One question, with an answer."""

    source: int | None  # row of a picture; None: words alone
    words: str
    target: int  # row of a picture that fits
    wanted: frozenset[str] = (
        frozenset()
    )  # traits of all that fit; none: nobody knows what else does


class Change(NamedTuple):
    """What differs between a source and a target in one attribute."""

    name: str
    old: str  # "no <name>" where there is none
    new: str


class Queries(ABC):
    """Draws queries from a data set's pictures."""

    def __init__(self, examples: Sequence[Example], traits: Sequence[frozenset[str]]) -> None:
        """`traits` are those of each picture, such as "color red"."""
        self.examples, self.traits = examples, traits

    @abstractmethod
    def draw(self, draw: random.Random) -> Query:
        """One query, as `draw` has it."""

    @abstractmethod
    def benchmark(self) -> dict[str, list[Query]]:
        """Queries to measure on, by how they are asked; one for each target where it can be."""

    def fitting(self, queries: Sequence[Query], rows: Iterable[int]) -> NDArray[np.bool_]:
        """(Q, R): which of the rows answer each query; its target always does."""
        return np.array(
            [
                [
                    row == q.target or (bool(q.wanted) and q.wanted <= self.traits[row])
                    for row in rows
                ]
                for q in queries
            ]
        )

    def vocabulary(self, draws: int = 20_000) -> Vocabulary:
        """The words of the captions, and of as many queries."""
        draw = random.Random(0)
        asked = (self.draw(draw).words for _ in range(draws))
        return Vocabulary.build([*(c for e in self.examples for c in e.captions), *asked])


def queries_of(examples: Sequence[Example]) -> Queries:
    """By attributes where all pictures have them, else by captions."""
    if all(example.attributes for example in examples):
        return AttributeQueries(examples)
    return CaptionQueries(examples)


class AttributeQueries(Queries):
    """Pairs of pictures whose attributes differ in one, sometimes in two; and descriptions."""

    alone = 0.2  # share of queries without a picture
    twofold = 0.25  # share of pairs that differ in two

    def __init__(self, examples: Sequence[Example]) -> None:
        super().__init__(examples, [_traits(example.attributes) for example in examples])
        self.names = sorted({name for example in examples for name in example.attributes})
        rows: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row, example in enumerate(examples):
            rows[self._kind(example)].append(row)
        self._kinds, self._rows = list(rows), list(rows.values())
        self._numbers = {kind: number for number, kind in enumerate(self._kinds)}
        self._near = {distance: self._apart(distance) for distance in (1, 2)}
        # Common kinds are shown less often than they occur.
        self._weights = np.cumsum([len(found) ** 0.5 for found in self._rows]).tolist()

    def draw(self, draw: random.Random) -> Query:
        number = draw.choices(range(len(self._kinds)), cum_weights=self._weights)[0]
        target = draw.choice(self._rows[number])
        distance = 2 if draw.random() < self.twofold else 1
        found = self._source(target, distance, draw)
        if found is None or draw.random() < self.alone:
            return self._described(target, draw)
        source, changes = found
        words = _replacement(changes, draw) if draw.random() < 0.5 else _wish(changes, draw)
        return Query(source, words, target, self.traits[target])

    def benchmark(self) -> dict[str, list[Query]]:
        asked: dict[str, list[Query]] = {"replace X with Y": [], "as people type": []}
        draw = random.Random(0)
        for target, wanted in enumerate(self.traits):
            if (found := self._source(target, 1, draw)) is None:
                continue
            source, changes = found
            paper, typed = REPLACE.format(**changes[0]._asdict()), _wish(changes, draw)
            asked["replace X with Y"].append(Query(source, paper, target, wanted))
            asked["as people type"].append(Query(source, typed, target, wanted))
        asked["words alone"] = [
            Query(None, example.captions[0], target, self.traits[target])
            for target, example in enumerate(self.examples)
        ]
        return asked

    def _kind(self, example: Example) -> tuple[str, ...]:
        return tuple(example.attributes.get(name, f"no {name}") for name in self.names)

    def _apart(self, distance: int) -> list[list[int]]:
        """For each kind the numbers of those that differ in so many attributes."""
        values = np.array(self._kinds)
        return [np.flatnonzero((values != kind).sum(1) == distance).tolist() for kind in values]

    def _source(
        self, target: int, distance: int, draw: random.Random
    ) -> tuple[int, list[Change]] | None:
        """A picture for this target and what has to change; None where nothing is so near."""
        kind = self._kind(self.examples[target])
        near = self._near[distance][self._numbers[kind]]
        if not near:
            return None
        other = draw.choice(near)
        pairs = zip(self.names, self._kinds[other], kind, strict=True)
        changes = [Change(name, old, new) for name, old, new in pairs if old != new]
        draw.shuffle(changes)
        return draw.choice(self._rows[other]), changes

    def _described(self, target: int, draw: random.Random) -> Query:
        """Words alone: the caption, or some of the attributes."""
        example = self.examples[target]
        if draw.random() < 0.3:
            return Query(None, draw.choice(example.captions), target, self.traits[target])
        names = draw.sample(sorted(example.attributes), draw.randint(1, len(example.attributes)))
        said = {name: example.attributes[name] for name in names}
        return Query(None, _description(said), target, _traits(said))


class CaptionQueries(Queries):
    """For pictures with captions alone, and perhaps a class.

    The text is a caption of the target, whole or in part, or its colour. The source is another
    picture of the target's class, from which what the words leave open can be taken; or any
    picture, or none, and then the words have to do.
    """

    alone = 0.25  # share of queries without a picture
    alike = 0.6  # share of pictures of the target's class, where it has one
    coloured = 0.3  # share of queries that name the colour alone

    def __init__(self, examples: Sequence[Example]) -> None:
        self.colours = [main_colour(example.captions) for example in examples]
        described = (
            {"class": example.label, "color": colour}
            for example, colour in zip(examples, self.colours, strict=True)
        )
        super().__init__(examples, [_traits(said) for said in described])
        self._of_class: dict[str, list[int]] = defaultdict(list)
        for row, example in enumerate(examples):
            self._of_class[example.label or f"row {row}"].append(row)

    def draw(self, draw: random.Random) -> Query:
        target = draw.randrange(len(self.examples))
        example, colour = self.examples[target], self.colours[target]
        others = [row for row in self._of_class[example.label or f"row {target}"] if row != target]
        words = some_clauses(draw.choice(example.captions), draw)
        if draw.random() < self.alone:
            return Query(None, words, target)
        if colour and others and draw.random() < self.coloured:
            words = _wish([Change("color", "", colour)], draw)
            return Query(draw.choice(others), words, target, self.traits[target])
        alike = others if draw.random() < self.alike else []
        source = draw.choice(alike or range(len(self.examples)))
        return Query(source, draw.choice(_OPENINGS) + words, target)

    def benchmark(self) -> dict[str, list[Query]]:
        asked: dict[str, list[Query]] = {"in another colour": [], "a caption": []}
        draw = random.Random(0)
        for target, (example, colour) in enumerate(zip(self.examples, self.colours, strict=True)):
            alike = [row for row in self._of_class[example.label or ""] if row != target]
            others = [row for row in alike if self.colours[row] not in (None, colour)]
            if colour and others:
                words, wanted = f"the same but in {colour}", self.traits[target]
                asked["in another colour"].append(Query(draw.choice(others), words, target, wanted))
            if alike:
                source = draw.choice(alike)
                asked["a caption"].append(Query(source, example.captions[0], target))
        asked["words alone"] = [
            Query(None, example.captions[0], target) for target, example in enumerate(self.examples)
        ]
        return asked


def main_colour(captions: Sequence[str]) -> str | None:
    """The colour that most captions name, by its first name; None where fewer than half agree."""
    words = [set(tokenize(caption)) for caption in captions]
    counts = {row[0]: sum(not said.isdisjoint(row) for said in words) for row in COLOURS}
    colour = max(counts, key=lambda name: counts[name])
    return colour if 2 * counts[colour] >= len(captions) else None


def _traits(attributes: Mapping[str, str | None]) -> frozenset[str]:
    return frozenset(f"{name} {value}" for name, value in attributes.items() if value)


def _replacement(changes: Sequence[Change], draw: random.Random) -> str:
    """Old and new by name."""
    form = draw.choice(_REPLACEMENTS)
    return " and ".join(form.format(**change._asdict()) for change in changes)


def _wish(changes: Sequence[Change], draw: random.Random) -> str:
    """The new alone, as a person types it."""
    wishes = [draw.choice(_WISHES.get(c.name, _OTHER_WISHES)).format(c.new) for c in changes]
    return draw.choice(_OPENINGS) + draw.choice((" ", " and ")).join(wishes)


def _description(attributes: Mapping[str, str]) -> str:
    """Such as "red dress with long sleeves"."""
    first = [attributes[name] for name in ("color", "category") if name in attributes]
    rest = [value for name, value in attributes.items() if name not in ("color", "category")]
    return " ".join(first) + (" with " if first and rest else "") + " and ".join(rest)
