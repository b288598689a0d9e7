import json
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from app.routes.pages import STATIC
from app.routes.samples import read_samples


def test_every_sample_is_there_with_its_author_and_licence(client: httpx.Client) -> None:
    samples = client.get("/samples").json()["samples"]
    assert samples == json.loads((STATIC / "samples" / "samples.json").read_text())["samples"]
    assert [s["url"] for s in samples if client.get(s["url"]).status_code != 200] == []
    assert [s["name"] for s in samples if not (s["author"] and s["licence"])] == []


def test_without_a_listing_there_are_no_samples(tmp_path: Path) -> None:
    assert read_samples(tmp_path).samples == []


def test_a_sample_without_a_licence_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    listing = {"samples": [{"name": "a", "url": "/a", "title": "A", "author": "", "domain": "x"}]}
    (tmp_path / "samples" / "samples.json").write_text(json.dumps(listing))
    with pytest.raises(ValidationError):
        read_samples(tmp_path)
