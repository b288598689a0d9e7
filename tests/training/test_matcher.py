"""A matcher learns which captions go with real pictures, and keeps what it learnt."""

from itertools import chain
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.text.vocabulary import Vocabulary
from tests.training.painted import write_squares
from training import matcher as matching
from training.data import BadData
from training.matcher import BadMatcher, Config, Matcher, candidates, found_own
from training.pairs import pairs_of

SMALL = Config(word_dim=8, dim=16, hidden=16)
CAPTIONS = [["a red thing", "red"], ["a blue thing", "blue"], ["a red thing"]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matcher") / "flowers"
    return write_squares(folder, "this flower has {colour} petals")


@pytest.fixture(scope="module")
def trained(data: Path) -> tuple[Matcher, float]:
    """Trained for a few seconds, and how many held-out pictures found their captions."""
    torch.manual_seed(0)
    real = pairs_of(data, "train", cache=data / "cache", views=1)
    matcher = Matcher("flowers", Vocabulary.build(chain(*real.captions)), SMALL)
    shown, held = real.take(range(8, 48)), real.take(range(8))
    return matcher, matching.train(matcher, shown, held, epochs=40, seed=0, batch=8)


def test_pictures_it_never_saw_find_their_captions(
    trained: tuple[Matcher, float], data: Path
) -> None:
    matcher, held = trained
    test = pairs_of(data, "test", cache=data / "cache")
    choices = candidates(test.captions, [texts[0] for texts in test.captions], seed=0)
    assert found_own(matcher, test.seen[0], choices).all()
    assert held == 1


def test_a_saved_matcher_reads_and_sees_the_same(
    trained: tuple[Matcher, float], tmp_path: Path
) -> None:
    matcher, _ = trained
    matcher.save(tmp_path / "matcher.safetensors")
    again = Matcher.load(tmp_path / "matcher.safetensors")
    seen = torch.rand(3, again.pictures.mean.numel())
    captions = ["red petals", "this flower has blue petals", "petals never heard of"]
    assert again.domain == "flowers"
    assert torch.allclose(again.read(captions), matcher.read(captions), atol=1e-2)
    assert torch.allclose(again.see(seen), matcher.see(seen), atol=1e-2)


def test_a_captions_neighbours_in_a_batch_do_not_change_how_it_is_read(
    trained: tuple[Matcher, float],
) -> None:
    matcher, _ = trained
    alone = matcher.read(["red petals"])
    together = matcher.read(["red petals", "this flower has blue petals too"])
    assert torch.allclose(alone[0], together[0], atol=1e-5)


def test_the_asked_caption_comes_first_among_a_hundred() -> None:
    rows = candidates(CAPTIONS, ["red", "blue", "a red thing"], seed=0)
    assert [row[0] for row in rows] == ["red", "blue", "a red thing"]
    assert {len(row) for row in rows} == {100}


def test_no_wrong_candidate_is_a_caption_of_the_picture() -> None:
    for own, row in zip(CAPTIONS, candidates(CAPTIONS, [c[0] for c in CAPTIONS], 0), strict=True):
        assert not set(row[1:]) & set(own)


def test_pictures_whose_captions_are_all_alike_are_refused() -> None:
    with pytest.raises(BadData, match="no captions but"):
        candidates([["red"], ["red"]], ["red", "red"], seed=0)


def test_the_scale_of_what_lite2_sees_is_taken_from_the_data(
    trained: tuple[Matcher, float],
) -> None:
    assert trained[0].pictures.spread.max() > 1e-3


def test_another_file_is_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(BadMatcher, match="no matcher"):
        Matcher.load(tmp_path / "other.safetensors")
