"""models/import_upstream/fitting.py: the wrong files are refused, and what is wrong is said."""

import pytest
import torch
from torch import nn

from models.import_upstream.fitting import Handed, MissingFile, NotTheseWeights, load_into

MARKERS = {"generator": "mu.weight", "text encoder": "rnn.weight"}
GENERATOR = {"mu.weight": torch.zeros(1)}
TEXT = {"rnn.weight": torch.zeros(1)}


def _network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3, bias=False), nn.BatchNorm1d(3))


def _to_upstream(key: str) -> str:
    return key.replace("0.", "fc.").replace("1.", "norm.")


def _state() -> dict[str, torch.Tensor]:
    """As of 2018, without the normalisation's counter."""
    names = ("weight", "bias", "running_mean", "running_var")
    state = {f"norm.{name}": torch.rand(3) for name in names}
    return {"fc.weight": torch.rand(3, 2)} | state


def test_each_entry_finds_its_place_with_or_without_counters() -> None:
    for counters in ({}, {"norm.num_batches_tracked": torch.tensor(7)}):
        network, state = _network(), _state()
        load_into(network, state | counters, _to_upstream, "netG.pth")
        assert torch.equal(network[0].weight, state["fc.weight"])
        assert torch.equal(network[1].running_var, state["norm.running_var"])


def test_what_is_missing_unexpected_and_of_another_shape_is_listed() -> None:
    state = _state() | {"extra.bias": torch.ones(1), "fc.weight": torch.ones(3, 4)}
    del state["norm.bias"]
    with pytest.raises(NotTheseWeights) as refusal:
        load_into(_network(), state, _to_upstream, "netG.pth")
    assert str(refusal.value) == (
        "netG.pth does not fit: missing: norm.bias; unexpected: extra.bias; "
        "of another shape: fc.weight 3x4 for 3x2"
    )


def test_a_refused_file_changes_nothing() -> None:
    network = _network()
    before = network[0].weight.clone()
    with pytest.raises(NotTheseWeights):
        load_into(network, {"fc.weight": torch.rand(3, 2)}, _to_upstream, "netG.pth")
    assert torch.equal(network[0].weight, before)


def test_a_long_list_is_cut_and_counted() -> None:
    state = _state() | {f"more.{i}": torch.ones(1) for i in range(20)}
    with pytest.raises(NotTheseWeights, match=r"more\.7 and 12 more$"):
        load_into(_network(), state, _to_upstream, "netG.pth")


def test_files_are_told_apart_by_what_they_hold() -> None:
    roles = Handed({"b.pth": TEXT, "a.pth": GENERATOR}).by_role(MARKERS)
    assert roles["generator"][0] == "a.pth"
    assert roles["text encoder"][0] == "b.pth"


def test_a_file_that_no_role_knows_takes_the_one_that_is_left() -> None:
    other = {"other": torch.zeros(1)}
    assert Handed({"a.pth": other, "b.pth": TEXT}).by_role(MARKERS)["generator"][0] == "a.pth"


def test_a_missing_file_is_named_by_its_role() -> None:
    with pytest.raises(MissingFile, match="text encoder is missing"):
        Handed({"a.pth": GENERATOR}).by_role(MARKERS)


def test_a_file_too_many_is_refused() -> None:
    handed = Handed({"a.pth": GENERATOR, "b.pth": TEXT, "netD.pth": {"d": torch.zeros(1)}})
    with pytest.raises(NotTheseWeights, match=r"netD\.pth: not needed"):
        handed.by_role(MARKERS)


def test_missing_word_vectors_are_asked_for_with_their_width() -> None:
    with pytest.raises(MissingFile, match=r"fastText's \.vec file, 300 wide"):
        Handed({}).word_vectors(300)
