"""How well a checkpoint edits: what was asked for, background, reconstruction, word scores.

The first N test pictures, in the order of the file, none left out. Each is asked for each value of
an attribute (training/attributes.py), such as a colour, in two ways: by a template that says
nothing else, and by its own caption with the value exchanged. A judge (training/judge.py) names
the value that the answer shows. An edit counts where the asked value is not the picture's own: the
one its captions agree on or, where they don't, the one that the judge sees in the source. The share
over all edits is given beside. All of it is done again with each seed's noise.
Where pictures are photographs of objects before anything, some objects are also laid on plain
grounds (training/grounds.py), which must not take the colour that was asked for.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
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
from models.text.vocabulary import tokenize
from training import grounds, measures
from training.attributes import ON_WHITE, Attribute, attributes_of
from training.data import cached_objects, cached_pictures, read_split, to_tensor
from training.evaluation import Evaluation, Plan, written
from training.judge import Judge, Labelled, accuracy, judge_file, labelled
from training.measures import mean_of, share_of
from training.sheets import row, sheet

_ON_SHEET = 10  # pictures
_ON_PLAIN = 200  # pictures whose objects are laid on plain grounds, where they are clear
_REPEATED = 8  # pictures that are edited twice, one by one
SEEDS = 2  # as a rule: noise changes edits little


class NoJudge(LookupError):
    """Nothing can be judged of edits in this domain."""


@dataclass(frozen=True)
class TestSet:
    """The pictures that a checkpoint is measured on."""

    images: Tensor  # (N, 3, S, S) in [-1, 1]
    captions: tuple[tuple[str, ...], ...]  # N
    noise: Tensor  # (N, Z), the same for all edits of a picture

    def __len__(self) -> int:
        return len(self.images)

    def first(self, count: int) -> "TestSet":
        return TestSet(self.images[:count], self.captions[:count], self.noise[:count])


@dataclass(frozen=True)
class Answers:
    """What a system made of the pictures, and how far it holds each word of the captions obeyed."""

    images: Tensor  # (N, 3, S, S) in [-1, 1]
    scores: tuple[Tensor, ...] = ()  # N times (T,) in [0, 1]; none where it gives none


@dataclass(frozen=True)
class Edits:
    """All pictures in all values of an attribute, asked in one way, by one seed."""

    answers: Mapping[str, Tensor]  # by asked value, (N, 3, S, S)
    verdicts: Mapping[str, NDArray[np.str_]]  # by asked value, N values that the judge sees
    scores: Mapping[str, NDArray[np.float64]]  # by asked value, N scores of its word, or nothing


def test_set(system: System, plan: Plan, seed: int) -> TestSet:
    """The first test pictures at the system's size."""
    examples = read_split(plan.data, "test")[: plan.pictures]
    images = to_tensor(np.array(cached_pictures(examples, system.cfg.image_size, plan.cache)))
    rng = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(images), system.noise_dim, generator=rng)
    return TestSet(images, tuple(example.captions for example in examples), noise)


def own_values(pictures: TestSet, judge: Judge, attribute: Attribute) -> NDArray[np.str_]:
    """The value that each picture has: by its captions or, where they don't agree, as judged."""
    seen = judge.decide(pictures.images)
    return np.array(
        [attribute.own(said) or saw for said, saw in zip(pictures.captions, seen, strict=True)]
    )


@torch.inference_mode()
def edited(
    system: System, pictures: TestSet, captions: Sequence[str], *, batch: int = 50
) -> Answers:
    """Each picture after its caption."""
    images: list[Tensor] = []
    scores: list[Tensor] = []
    for first in range(0, len(captions), batch):
        part = slice(first, first + batch)
        prepared = system.prepare(pictures.images[part])
        text = system.encode_text(captions[part])
        found = system.manipulate(prepared, text, pictures.noise[part])
        images.append(found.image)
        if found.scores is not None:
            scores.extend(found.scores)
    return Answers(torch.cat(images).clamp(-1, 1), tuple(scores))


def template_captions(attribute: Attribute, pictures: TestSet, value: str) -> list[str]:
    """The same caption for all, with nothing in it but the value."""
    return [attribute.caption(value)] * len(pictures)


def own_captions(attribute: Attribute, pictures: TestSet, value: str) -> list[str]:
    """Each picture's own caption with the value exchanged; the template where it names none."""
    template = attribute.caption(value)
    return [attribute.exchanged(said, value) or template for said in pictures.captions]


WAYS = {"template": template_captions, "own caption": own_captions}


def edits_of(
    system: System, pictures: TestSet, judge: Judge, attribute: Attribute, way: str
) -> Edits:
    """Ask for every value, and have the answers judged."""
    answers, verdicts, scores = {}, {}, {}
    for value in track((*attribute.asked, *attribute.also_asked), f"{attribute.name}, by {way}"):
        captions = WAYS[way](attribute, pictures, value)
        found = edited(system, pictures, captions)
        answers[value] = found.images
        verdicts[value] = np.array(judge.decide(found.images))
        if found.scores:
            scores[value] = _word_scores(found.scores, captions, value)
    return Edits(answers, verdicts, scores)


def _word_scores(
    scores: Sequence[Tensor], captions: Sequence[str], word: str
) -> NDArray[np.float64]:
    """The score that `word` has in each caption."""
    places = (tokenize(caption).index(word) for caption in captions)
    return np.array([float(row[at]) for row, at in zip(scores, places, strict=True)])


def success(attribute: Attribute, own: NDArray[np.str_], sets: Sequence[Edits]) -> dict[str, Any]:
    """Shares judged as asked over all seeds; "all" is over the values of the bar alone."""
    values = (*attribute.asked, *attribute.also_asked)
    right = {v: np.stack([edits.verdicts[v] == v for edits in sets], axis=1) for v in values}
    another = {v: np.repeat(own[:, None] != v, len(sets), axis=1) for v in values}
    bar_right = np.concatenate([right[v] for v in attribute.asked], axis=1)
    bar_another = np.concatenate([another[v] for v in attribute.asked], axis=1)
    changed = {v: share_of(right[v], another[v]) for v in values}
    changed["all"] = share_of(bar_right, bar_another)
    found: dict[str, Any] = {
        "changed": {value: asdict(share) for value, share in changed.items()},
        "every": asdict(share_of(bar_right)),
        "seen": {v: _counts(np.concatenate([e.verdicts[v] for e in sets])) for v in values},
    }
    if sets[0].scores:
        scores = np.concatenate([np.stack([e.scores[v] for e in sets], 1) for v in values], axis=1)
        obeyed = np.concatenate(list(right.values()), axis=1)
        found["word_scores"] = {
            "obeyed": float(scores[obeyed].mean()),
            "not_obeyed": float(scores[~obeyed].mean()),
        }
    return found


def _outside(pictures: TestSet, own: NDArray[np.str_], domain: str) -> Tensor:
    """(N, 1, S, S) bool, what captions of colours do not speak of.

    On a white ground: the near-white pixels joined to the border, for all pictures whose garment is
    not white itself, as its pixels can't be told from the ground. Else: a strip along the border.
    """
    if domain not in ON_WHITE:
        return measures.border(pictures.images)
    coloured = torch.from_numpy(own != "white")[:, None, None, None]
    return measures.white_ground(pictures.images) & coloured


def outside_change(pictures: TestSet, edits: Edits, attribute: Attribute, outside: Tensor) -> float:
    """Mean absolute change, 0 to 1, where `outside` is set, over the bar's values."""
    changes = [measures.change(pictures.images, edits.answers[v], outside) for v in attribute.asked]
    return torch.stack(changes).nanmean().item()


def plain_grounds_measured(system: System, plan: Plan, attribute: Attribute) -> dict[str, Any]:
    """What edits to each value change of objects on plain grounds, and of the grounds: mean
    absolute changes, 0 to 1, over those of the first test pictures that have a clear object.
    """
    side = system.cfg.image_size
    examples = read_split(plan.data, "test")[: min(plan.pictures, _ON_PLAIN)]
    masks = cached_objects(examples, side, plan.cache)
    clear = [number for number, mask in enumerate(masks) if mask.any()]
    if not clear:
        return {"pictures": 0}
    pictures = cached_pictures(examples, side, plan.cache)
    laid = [grounds.lay_on_plain(pictures[n], masks[n], random.Random(n)) for n in clear]
    noise = torch.randn(len(laid), system.noise_dim, generator=torch.Generator().manual_seed(0))
    captions = tuple(examples[n].captions for n in clear)
    test = TestSet(to_tensor(np.stack(laid)), captions, noise)
    mask = torch.from_numpy(masks[clear])[:, None].float() / 255
    found: dict[str, list[float]] = {"ground_change": [], "object_change": []}
    for value in track(attribute.asked, f"{attribute.name}, on plain grounds"):
        answers = edited(system, test, template_captions(attribute, test, value)).images
        for name, where in (("ground_change", grounds.outside(mask)), ("object_change", mask)):
            found[name].append(measures.change(test.images, answers, where).nanmean().item())
    return {"pictures": len(clear)} | {name: float(np.mean(all_)) for name, all_ in found.items()}


def value_change(answers: Mapping[str, Tensor], attribute: Attribute) -> float:
    """Mean absolute difference, 0 to 1, between a picture's edits to one value and to the next."""
    pairs = pairwise(answers[value] for value in attribute.asked)
    return float(np.mean([(a - b).abs().mean().item() / 2 for a, b in pairs]))


def is_deterministic(system: System, pictures: TestSet, caption: str) -> bool:
    """Whether the same picture, caption and noise give the same numbers, one picture at a time."""
    few = pictures.first(_REPEATED)
    one, other = (edited(system, few, [caption] * len(few), batch=1).images for _ in range(2))
    return torch.equal(one, other)


def measure(system: System, plan: Plan) -> Evaluation:
    """Measure `system` on the test pictures.

    Raises:
        NoJudge: nothing can be judged of edits in this domain.
    """
    judged = [
        (attribute, Judge.load(path))
        for attribute in attributes_of(plan.domain)
        if (path := judge_file(plan.judges, plan.domain, attribute.name)).is_file()
    ]
    if not judged:
        raise NoJudge(f"no judge of {plan.domain!r} in {plan.judges}; `training.judge` makes one")
    tests = [test_set(system, plan, seed) for seed in plan.seeds]
    rebuilt = [edited(system, test, [said[0] for said in test.captions]).images for test in tests]
    rows = {"source": tests[0].images, "its own caption": rebuilt[0]}
    found = {}
    for attribute, judge in judged:
        found[attribute.name], answers = attribute_measured(system, tests, judge, attribute)
        found[attribute.name]["judge_on_real"] = accuracy(judge, _real(plan, attribute))
        if attribute.keeps_outline and plan.domain not in ON_WHITE:
            on_plain = plain_grounds_measured(system, plan, attribute)
            found[attribute.name]["on_plain_grounds"] = on_plain
        rows |= answers
    caption = judged[0][0].caption(judged[0][0].asked[0])
    metrics = {
        "pictures": len(tests[0]),
        "seeds": len(tests),
        "attributes": found,
        "reconstruction": _reconstruction(tests[0], rebuilt),
        "deterministic": is_deterministic(system, tests[0], caption),
    }
    return Evaluation(metrics, {"sheet.webp": contact_sheet(rows)})


def attribute_measured(
    system: System, tests: Sequence[TestSet], judge: Judge, attribute: Attribute
) -> tuple[dict[str, Any], Mapping[str, Tensor]]:
    """Figures of each way of asking, and the first seed's answers to the template."""
    own = own_values(tests[0], judge, attribute)
    outside = _outside(tests[0], own, judge.domain)
    found: dict[str, Any] = {}
    answers: Mapping[str, Tensor] = {}
    for way in WAYS:
        sets, changes = [], []
        for test in tests:
            edits = edits_of(system, test, judge, attribute, way)
            changes.append(outside_change(test, edits, attribute, outside))
            answers = answers or edits.answers
            sets.append(replace(edits, answers={}))  # pictures of all seeds would be gigabytes
        found[way] = success(attribute, own, sets)
        if attribute.keeps_outline:
            found[way]["outside_change"] = asdict(mean_of(changes))
    return found | {"value_change": value_change(answers, attribute)}, answers


def _real(plan: Plan, attribute: Attribute) -> Labelled:
    return labelled(plan.data, "test", attribute, cache=plan.cache)


def _reconstruction(pictures: TestSet, rebuilt: Sequence[Tensor]) -> dict[str, Any]:
    """L2 errors of the pictures that were asked for with their own captions, over the seeds."""
    errors = [measures.reconstruction(pictures.images, images) for images in rebuilt]
    return {name: asdict(mean_of([error[name] for error in errors])) for name in errors[0]}


def contact_sheet(rows: Mapping[str, Tensor]) -> Image.Image:
    """The first test pictures in the top row, below them their edits, one value a row."""
    return sheet([row(images[:_ON_SHEET]) for images in rows.values()], list(rows))


def report(metrics: Mapping[str, Any], console: Console) -> None:
    """Print the numbers for a person."""
    title = f"{metrics['checkpoint']}: {metrics['pictures']} test pictures"
    table = Table("asked for", *(f"by {way}" for way in WAYS), "judge on real", title=title)
    for found in metrics["attributes"].values():
        for value in found["template"]["changed"]:
            shares = [written(found[way]["changed"][value]) for way in WAYS]
            real = found["judge_on_real"].get(value)
            table.add_row(value, *shares, "" if real is None else f"{real:.1%}")
        every = [written(found[way]["every"]) for way in WAYS]
        table.add_row("all, own value too", *every, "")
    table.caption = "share judged as asked (95 % interval), where the asked value is another"
    console.print(table)
    for name, found in metrics["attributes"].items():
        for way in WAYS:
            if change := found[way].get("outside_change"):
                console.print(f"change outside, {name} by {way}: {change['mean']:.4f} of 1")
            if scores := found[way].get("word_scores"):
                console.print(
                    f"mean score of the asked word, {name} by {way}: {scores['obeyed']:.2f} where "
                    f"judged as asked, {scores['not_obeyed']:.2f} where not"
                )
        if on_plain := plain_grounds_written(found):
            console.print(on_plain, soft_wrap=True)
        console.print(f"change from one {name} to another: {found['value_change']:.3f} of 1")
    rebuilt = {name: error["mean"] for name, error in metrics["reconstruction"].items()}
    console.print(
        f"L2 error with the own caption, values in [-1, 1]: RMSE {rebuilt['rmse']:.3f}, "
        f"MSE {rebuilt['mse']:.4f}; values in [0, 1]: RMSE {rebuilt['rmse_unit']:.3f}",
        soft_wrap=True,
    )
    console.print(f"same caption and seed, same numbers: {metrics['deterministic']}")


def plain_grounds_written(found: Mapping[str, Any]) -> str | None:
    """What was measured of an attribute on plain grounds, in a sentence; None where nothing was."""
    measured = found.get("on_plain_grounds", {"pictures": 0})
    if not measured["pictures"]:
        return None
    return (
        f"Mean absolute change of plain grounds on which {measured['pictures']} objects of test "
        f"pictures were laid: {measured['ground_change']:.4f} of 1, of the objects themselves "
        f"{measured['object_change']:.4f}."
    )


def _counts(verdicts: NDArray[np.str_]) -> dict[str, int]:
    names, counts = np.unique(verdicts, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))
