"""training/recall.py: what is found, counted as the paper counts it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models.checkpoint import read_header
from tests.training import test_tirg
from tests.training.attributes import write_shapes
from training import tirg
from training.__main__ import app
from training.card import NotMeasured
from training.recall import recall_at

HALVES = ("", ": its picture alone", ": its words alone")


def test_an_answer_among_the_first_k_counts() -> None:
    fits = np.array([[0, 1, 0], [1, 0, 1], [0, 0, 1]], dtype=bool)
    found = np.array([[0, 1, 2], [2, 0, 1], [0, 1, 2]])
    assert recall_at((1, 2, 3), found, fits) == {
        "recall@1": pytest.approx(1 / 3),
        "recall@2": pytest.approx(2 / 3),
        "recall@3": 1,
    }


def test_a_search_is_trained_measured_beside_a_baseline_and_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shapes(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(tirg.RECIPES, "small", replace(test_tirg.RECIPE, ema=0.5))
    train = ["tirg", "--data", "shapes", "--steps"]
    baseline = ["1", "--run", ".runs/text", "--set", "model.composition=text"]
    for options in (["60"], baseline):
        result = CliRunner().invoke(app, [*train, *options])
        assert result.exit_code == 0, result.output
    files = [f".runs/{run}/tirg-shapes-48.safetensors" for run in ("tirg-shapes-48", "text")]
    result = CliRunner().invoke(app, ["recall", *files, "--data", "shapes"])
    assert result.exit_code == 0, result.output
    gated, text = (
        json.loads(Path(f".runs/recall/tirg-shapes-48/{form}-pooled.json").read_text())["ways"]
        for form in ("gated", "text")
    )
    halves = {f"{way}{half}" for way in ("replace X with Y", "as people type") for half in HALVES}
    assert gated.keys() == text.keys() == {"words alone", *halves}
    assert gated["replace X with Y"]["recall@1"] > 0.5
    assert text["replace X with Y"]["recall@1"] < gated["replace X with Y"]["recall@1"]
    assert gated["words alone"]["queries"] == 12
    metrics = ".runs/recall/tirg-shapes-48/gated-pooled.json"
    options = ["--evaluation", metrics, "--out", "shipped", "--note", "Small."]
    result = CliRunner().invoke(app, ["ship", files[0], *options])
    assert result.exit_code == 0, result.output
    header = read_header(Path("shipped/tirg-shapes-48.safetensors"))
    assert header.metrics["recall_at_10"] == gated["replace X with Y"]["recall@10"]
    card = Path("shipped/tirg-shapes-48.md").read_text()
    assert "| words alone | 12 | " in card
    assert "- Small." in card
    options[1] = metrics.replace("gated", "text")
    assert isinstance(CliRunner().invoke(app, ["ship", files[0], *options]).exception, NotMeasured)
