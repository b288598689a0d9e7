"""Every system in the registry keeps the common contract. A new row is tested by being there.

What finds pictures instead of drawing any is in tests/models/test_search_contract.py.
"""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models.base import Output, System
from models.registry import SYSTEMS, Spec, Task, UnknownSystem, find
from models.text.vocabulary import Vocabulary

DRAWING = (Task.MANIPULATE, Task.GENERATE)
CASES = [
    pytest.param(s, t, id=f"{s.name}-{t}")
    for s in SYSTEMS.values()
    for t in DRAWING
    if t in s.tasks
]
ROWS = pytest.mark.parametrize("spec", SYSTEMS.values(), ids=lambda spec: spec.name)
WORDS = Vocabulary(("a", "red", "flower", "with", "blue", "petals"))
CAPTIONS = ("a red flower with petals", "blue petals")


@ROWS
def test_row_claims_exactly_what_the_class_does(spec: Spec) -> None:
    assert spec.module().SYSTEM.tasks == spec.tasks
    assert spec.module().SYSTEM.keeps_photo == spec.keeps_photo


@pytest.mark.parametrize(("spec", "task"), CASES)
def test_image_has_the_stated_shape_and_range(spec: Spec, task: Task) -> None:
    system = _tiny(spec)
    side = system.cfg.image_size
    image = _run(system, task).image
    assert image.shape == (2, 3, side, side)
    assert image.abs().max() <= 1


@pytest.mark.parametrize(("spec", "task"), CASES)
def test_another_caption_gives_another_image(spec: Spec, task: Task) -> None:
    system = _tiny(spec)
    other = _run(system, task, captions=("a blue flower with petals", "red petals")).image
    assert not torch.equal(_run(system, task).image, other)


@pytest.mark.parametrize(("spec", "task"), CASES)
def test_same_request_gives_the_same_image(spec: Spec, task: Task) -> None:
    system = _tiny(spec)
    assert torch.equal(_run(system, task).image, _run(system, task).image)


@pytest.mark.parametrize(("spec", "task"), CASES)
def test_a_batch_equals_its_parts(spec: Spec, task: Task) -> None:
    system = _tiny(spec)
    together = _run(system, task).image
    for i, caption in enumerate(CAPTIONS):
        alone = _run(system, task, captions=(caption,), rows=slice(i, i + 1)).image
        torch.testing.assert_close(alone, together[i : i + 1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["attngan", "stackgan", "stackgan_v2"])
def test_without_conditioning_augmentation_only_the_pictures_own_noise_counts(name: str) -> None:
    module: Any = find(name).module()
    for augments in (True, False):
        torch.manual_seed(0)
        system = module.SYSTEM(replace(module.TINY, augments=augments), WORDS).eval()
        text, noise = system.encode_text(CAPTIONS), torch.randn(2, system.noise_dim)
        other = torch.cat([noise[:, : system.cfg.z_dim], torch.randn(2, 8)], dim=1)
        with torch.inference_mode():
            pictures = [
                system.generate(text, n[:, : system.noise_dim]).image for n in (noise, other)
            ]
        assert torch.equal(*pictures) != augments


@pytest.mark.parametrize(("spec", "task"), CASES)
def test_all_that_is_told_beside_the_picture_is_the_same_in_a_batch(spec: Spec, task: Task) -> None:
    system = _tiny(spec)
    together = _run(system, task)
    for i, caption in enumerate(CAPTIONS):
        alone = _run(system, task, captions=(caption,), rows=slice(i, i + 1))
        told = zip(_told(alone), _told(together), strict=True)
        for mine, all_ in told:
            padded = all_[i : i + 1, : mine.shape[1]]
            torch.testing.assert_close(mine, padded, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("spec", "task"), CASES)
def test_each_place_shares_its_attention_among_the_captions_own_words(
    spec: Spec, task: Task
) -> None:
    system = _tiny(spec)
    output = _run(system, task)
    assert bool(output.attention) == spec.heatmaps
    for attention in output.attention:
        assert attention.min() >= 0
        torch.testing.assert_close(attention.sum(1), torch.ones_like(attention[:, 0]))
        assert not attention[1, 2:].any()  # the second caption has two words, the rest is padding


@pytest.mark.parametrize(("spec", "task"), CASES)
def test_other_noise_gives_another_image_where_there_is_noise(spec: Spec, task: Task) -> None:
    system = _tiny(spec)
    alike = torch.equal(_run(system, task).image, _run(system, task, seed=2).image)
    assert alike == (system.noise_dim == 0)


@pytest.mark.parametrize("end", [0.0, 1.0])
@pytest.mark.parametrize(("spec", "task"), CASES)
def test_at_its_ends_an_interpolation_is_the_plain_picture(
    spec: Spec, task: Task, end: float
) -> None:
    system = _tiny(spec)
    other = ("blue", "a red flower with blue petals")
    plain = _run(system, task, captions=other if end else CAPTIONS, flipped=end == 1)
    mixed = _run(system, task, to=other, position=torch.full((2,), end))
    for a, b in zip((plain.image, *plain.stages), (mixed.image, *mixed.stages), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("spec", "task"), CASES)
def test_between_its_ends_an_interpolation_goes_from_one_picture_to_the_other(
    spec: Spec, task: Task
) -> None:
    system = _tiny(spec)
    other = ("a blue flower", "red petals with red")
    first = _run(system, task).image
    second = _run(system, task, captions=other, flipped=True).image
    third = _run(system, task, to=other, position=torch.full((2,), 0.5))
    for attention in third.attention:
        torch.testing.assert_close(attention.sum(1), torch.ones_like(attention[:, 0]))
    assert not torch.equal(third.image, first)
    assert not torch.equal(third.image, second)
    whole, half = (first - second).norm(), (first - third.image).norm()
    assert 0 < half < whole


@pytest.mark.parametrize(("spec", "task"), CASES)
def test_positions_in_a_batch_are_the_positions_alone(spec: Spec, task: Task) -> None:
    system = _tiny(spec)
    other, at = ("blue", "a red flower with blue petals"), torch.tensor([0.25, 0.75])
    together = _run(system, task, to=other, position=at).image
    for i in range(2):
        alone = _run(
            system,
            task,
            captions=CAPTIONS[i : i + 1],
            rows=slice(i, i + 1),
            to=other[i : i + 1],
            position=at[i : i + 1],
        ).image
        torch.testing.assert_close(alone, together[i : i + 1], atol=1e-5, rtol=0)


@ROWS
def test_tasks_that_the_row_does_not_claim_are_refused(spec: Spec) -> None:
    system = _tiny(spec)
    for task in set(DRAWING) - spec.tasks:
        with pytest.raises(ValueError, match="does not"):
            _run(system, task)


def test_an_unknown_system_is_refused_with_the_list_of_those_there_are() -> None:
    with pytest.raises(UnknownSystem, match="tagan"):
        find("diffusion")


def _tiny(spec: Spec) -> System:
    """The system at its smallest size, with fixed random weights."""
    torch.manual_seed(0)
    module: Any = spec.module()
    system: System = module.SYSTEM(module.TINY, WORDS).eval()
    return system


@torch.inference_mode()
def _run(
    system: System,
    task: Task,
    *,
    captions: tuple[str, ...] = CAPTIONS,
    rows: slice = slice(0, 2),
    seed: int = 1,
    to: tuple[str, ...] | None = None,
    position: Tensor | None = None,
    flipped: bool = False,
) -> Output:
    """One call on those rows of a batch of two captions of different length and two pictures.

    With `to` and `position` it is an interpolation, to these captions and to the pictures
    `flipped`, upside down.
    """
    side = system.cfg.image_size
    image = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    noise = torch.randn(2, system.noise_dim, generator=torch.Generator().manual_seed(seed))[rows]
    text = system.encode_text(captions)
    if to is not None and position is not None:
        text = text.mix(system.encode_text(to), position)
    if not task.needs_image:
        return system.generate(text, noise)
    upright, turned = (system.prepare(x[rows]) for x in (image, image.flip(2)))
    prepared = turned if flipped else upright
    if to is not None and position is not None:
        prepared = upright.mix(turned, position)
    return system.manipulate(prepared, text, noise)


def _told(output: Output) -> list[Tensor]:
    """All of it that is told of words, (B, T, ...) each."""
    return [*output.attention, *([] if output.scores is None else [output.scores])]
