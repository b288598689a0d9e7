"""models/inception.py: published weights fit, and nothing changes them."""

import pytest
import torch
from torch import Tensor

from models.inception import Inception, load_published, published_units


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """A file as torchvision's, with classifiers that are not used here."""
    network = Inception()
    units = published_units(network)
    state = {}
    for key, value in network.state_dict().items():
        unit, part, leaf = key.rsplit(".", 2)
        state[f"{units[unit]}.{part}.{leaf}"] = torch.randn_like(value.float()).to(value.dtype)
    return state | {"fc.weight": torch.zeros(1000, 2048), "AuxLogits.fc.bias": torch.zeros(1000)}


def test_published_weights_go_to_the_units_of_their_names(published: dict[str, Tensor]) -> None:
    network = load_published(published)
    first, last = network.stem[0], network.whole[2][3][1]
    assert torch.equal(first.conv.weight, published["Conv2d_1a_3x3.conv.weight"])
    assert torch.equal(last.bn.running_var, published["Mixed_7c.branch_pool.bn.running_var"])


def test_files_from_before_batches_were_counted_fit_too(published: dict[str, Tensor]) -> None:
    old = {key: value for key, value in published.items() if "num_batches" not in key}
    assert isinstance(load_published(old), Inception)


def test_a_file_that_lacks_an_entry_is_refused_with_its_name(
    published: dict[str, Tensor],
) -> None:
    lacking = {k: v for k, v in published.items() if k != "Mixed_5b.branch1x1.conv.weight"}
    with pytest.raises(RuntimeError, match=r"Missing key.*regions\.0\.0\.0\.conv\.weight"):
        load_published(lacking)


def test_gradients_reach_the_picture_and_not_the_weights() -> None:
    network, image = Inception().train(), torch.randn(1, 3, 139, 139, requires_grad=True)
    local, pooled = network(image)
    (local.sum() + pooled.sum()).backward()
    assert image.grad is not None
    assert image.grad.abs().max() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_training_mode_does_not_change_its_statistics() -> None:
    network = Inception().train()
    before = network.stem[0].bn.running_mean.clone()
    network(torch.randn(2, 3, 75, 75))
    assert torch.equal(network.stem[0].bn.running_mean, before)
