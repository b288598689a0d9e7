"""Every system that searches keeps the contract of searches; every other one says that it can't."""

from typing import Any

import pytest
import torch
from torch import Tensor

from models.base import System, UnsupportedTask
from models.registry import SYSTEMS, Spec, Task
from models.text.vocabulary import Vocabulary

WORDS = Vocabulary(("a", "red", "flower", "with", "blue", "petals"))
CAPTIONS = ("a red flower with petals", "blue petals")
SEARCHING = [spec for spec in SYSTEMS.values() if Task.SEARCH in spec.tasks]
OTHERS = [spec for spec in SYSTEMS.values() if Task.SEARCH not in spec.tasks]
ROWS = pytest.mark.parametrize("spec", SEARCHING, ids=lambda spec: spec.name)


@ROWS
def test_pictures_and_queries_lie_on_one_sphere(spec: Spec) -> None:
    system = _tiny(spec)
    points = [_pictures(system), _queries(system), _queries(system, pictures=False)]
    assert len({point.shape for point in points}) == 1
    for point in points:
        torch.testing.assert_close(point.norm(dim=1), torch.ones(2))


@ROWS
def test_another_caption_is_another_query(spec: Spec) -> None:
    system = _tiny(spec)
    others = ("a blue flower with petals", "red petals")
    for pictures in (True, False):
        query = _queries(system, pictures=pictures)
        assert not torch.equal(query, _queries(system, pictures=pictures, captions=others))


@ROWS
def test_a_batch_equals_its_parts(spec: Spec) -> None:
    system = _tiny(spec)
    together = _queries(system)
    for i, caption in enumerate(CAPTIONS):
        alone = _queries(system, captions=(caption,), rows=slice(i, i + 1))
        torch.testing.assert_close(alone, together[i : i + 1], atol=1e-5, rtol=0)
        seen = _pictures(system, slice(i, i + 1))
        torch.testing.assert_close(seen, _pictures(system)[i : i + 1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("spec", OTHERS, ids=lambda spec: spec.name)
def test_a_system_that_draws_does_not_search(spec: Spec) -> None:
    system = _tiny(spec)
    with pytest.raises(UnsupportedTask, match="does not search"):
        system.compose(None, system.encode_text(CAPTIONS))


def _tiny(spec: Spec) -> System:
    """The system at its smallest size, with fixed random weights."""
    torch.manual_seed(0)
    module: Any = spec.module()
    system: System = module.SYSTEM(module.TINY, WORDS).eval()
    return system


def _images(system: System, rows: slice) -> Tensor:
    draw = torch.Generator().manual_seed(1)
    side = system.cfg.image_size
    return (torch.rand(2, 3, side, side, generator=draw) * 2 - 1)[rows]


@torch.inference_mode()
def _pictures(system: System, rows: slice = slice(0, 2)) -> Tensor:
    return system.embed(system.prepare(_images(system, rows)))


@torch.inference_mode()
def _queries(
    system: System,
    *,
    pictures: bool = True,
    captions: tuple[str, ...] = CAPTIONS,
    rows: slice = slice(0, 2),
) -> Tensor:
    prepared = system.prepare(_images(system, rows)) if pictures else None
    return system.compose(prepared, system.encode_text(captions))
