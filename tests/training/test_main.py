"""training/__main__.py: the commands, as a person types them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.checkpoint import read_header
from tests.training import test_attngan, test_damsm, test_sisgan, test_vse
from tests.training.captioned import toy_pictures
from training import attngan, damsm, sisgan, vse
from training.__main__ import app


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    toy_pictures(tmp_path, 16)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "toys"


def test_attngan_is_trained_with_the_encoders_of_a_damsm_run(
    toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(damsm.RECIPES, "small", test_damsm.RECIPE)
    monkeypatch.setitem(attngan.RECIPES, "small", test_attngan.RECIPE)
    first = _invoke("damsm", "--data", toys, "--steps", 1)
    assert "give it to `python -m training attngan --encoders`" in first.output
    encoders = Path(".runs/damsm-toys/damsm.safetensors")
    second = _invoke("attngan", "--data", toys, "--encoders", encoders, "--steps", 1)
    assert second.exit_code == 0, second.output
    header = read_header(Path(".runs/attngan-toys-16/attngan-toys-16.safetensors"))
    assert header.steps == 1
    assert header.vocabulary.words == ("a", "thing")


def test_sisgan_is_trained_with_the_reader_of_a_vse_run(
    toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vse.RECIPES, "small", test_vse.RECIPE)
    monkeypatch.setitem(sisgan.RECIPES, "small", test_sisgan.RECIPE)
    first = _invoke("vse", "--data", toys, "--steps", 1)
    assert "give it to `python -m training sisgan --text`" in first.output
    second = _invoke(
        "sisgan", "--data", toys, "--text", ".runs/vse-toys/vse.safetensors", "--steps", 1
    )
    assert second.exit_code == 0, second.output
    header = read_header(Path(".runs/sisgan-toys-16/sisgan-toys-16.safetensors"))
    assert header.steps == 1
    assert header.vocabulary.words == ("a", "thing")


@pytest.mark.parametrize("command", ["tagan", "damsm", "vse"])
def test_an_unknown_recipe_is_refused_with_those_there_are(toys: Path, command: str) -> None:
    result = _invoke(command, "--data", toys, "--recipe", "huge")
    assert result.exit_code == 2
    assert "small, paper" in result.output


def test_the_papers_image_encoder_needs_weights(toys: Path) -> None:
    result = _invoke("damsm", "--data", toys, "--recipe", "paper")
    assert result.exit_code == 2
    assert "needs Inception-v3" in result.output
    assert not Path(".runs").exists()


def _invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])
