"""The shipped network finds what the published one finds."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from models.lite import FOLDER
from models.u2net import SIDE, load_u2net

DAHLIA = FOLDER.parent.parent / "static" / "samples" / "dahlia.jpg"
# Row, column and share at the flower's edge, by ONNX Runtime from the published file in float32.
AT_THE_EDGE = (
    (72, 141, 0.825),
    (85, 111, 0.757),
    (90, 105, 0.878),
    (142, 219, 0.598),
    (236, 100, 0.474),
    (246, 107, 0.483),
    (252, 114, 0.769),
    (268, 143, 0.629),
)


@pytest.fixture(scope="module")
def share() -> Tensor:
    """Where the shipped network sees the object of a sample."""
    with Image.open(DAHLIA) as photo:
        small = photo.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    image = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.inference_mode():
        return load_u2net()(image)[0]


def test_it_computes_what_the_published_file_does(share: Tensor) -> None:
    found = [float(share[row, column]) for row, column, _ in AT_THE_EDGE]
    assert found == pytest.approx([wanted for _, _, wanted in AT_THE_EDGE], abs=0.02)
    assert float(share.mean()) == pytest.approx(0.2184, abs=0.002)


def test_the_flower_is_the_object_and_the_leaves_are_not(share: Tensor) -> None:
    assert share[120:200, 140:190].min() > 0.95
    assert share[:, :60].max() < 0.05
