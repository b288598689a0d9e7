"""What the trainers' tests share."""

from pathlib import Path

import pytest

from tests.training.toys import write_toys


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    """A data set of three pictures."""
    return write_toys(tmp_path)
