"""Every system in the registry keeps the common contract. A new row is tested by being there."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from models.base import Output, System
from models.registry import SYSTEMS, Spec, Task, UnknownSystem, find
from models.text.vocabulary import Vocabulary

CASES = [pytest.param(s, t, id=f"{s.name}-{t}") for s in SYSTEMS.values() for t in sorted(s.tasks)]
ROWS = pytest.mark.parametrize("spec", SYSTEMS.values(), ids=lambda spec: spec.name)
WORDS = Vocabulary(("a", "red", "flower", "with", "blue", "petals"))
CAPTIONS = ("a red flower with petals", "blue petals")


@ROWS
def test_row_claims_exactly_the_tasks_the_class_has(spec: Spec) -> None:
    assert spec.module().SYSTEM.tasks == spec.tasks


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


@ROWS
def test_tasks_that_the_row_does_not_claim_are_refused(spec: Spec) -> None:
    system = _tiny(spec)
    for task in set(Task) - spec.tasks:
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
) -> Output:
    """One call on those rows of a batch of two captions of different length."""
    draw = torch.Generator().manual_seed(1)
    side = system.cfg.image_size
    noise = torch.randn(2, system.noise_dim, generator=draw)[rows]
    image = (torch.rand(2, 3, side, side, generator=draw) * 2 - 1)[rows]
    text = system.encode_text(captions)
    if task.needs_image:
        return system.manipulate(system.prepare(image), text, noise)
    return system.generate(text, noise)
