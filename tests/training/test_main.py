"""training/__main__.py: the commands, as a person types them."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from models.checkpoint import read_header
from models.import_upstream.char_cnn_rnn import text_key
from models.import_upstream.fitting import upstream_state
from models.text.char_cnn_rnn import CharCnnRnn
from models.weights import load
from tests.models.golden import fill
from tests.models.import_upstream.files_of_2018 import save_weights
from tests.tiny import write_tiny_model
from tests.training import (
    test_attngan,
    test_damsm,
    test_generation,
    test_inversion,
    test_sisgan,
    test_stackgan,
    test_style_encoder,
    test_tagan,
    test_tagan_scores,
    test_vse,
)
from tests.training.captioned import toy_pictures
from training import (
    attngan,
    damsm,
    gan_int_cls,
    inversion,
    sisgan,
    stackgan,
    style_encoder,
    tagan,
    tagan_scores,
    vse,
)
from training.__main__ import app

ROOT = Path(__file__).parent.parent.parent


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


@pytest.mark.parametrize("system", ["gan_int_cls", "stackgan_v2"])
def test_a_system_that_draws_from_words_is_trained(
    toys: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    _, module, tiny = test_generation.KINDS[system]
    recipe = replace(module.SMALL, model=tiny, batch_size=4)
    monkeypatch.setitem(module.RECIPES, "small", recipe)
    name = system.replace("_", "-")
    result = _invoke(name, "--data", toys, "--steps", 1)
    assert result.exit_code == 0, result.output
    header = read_header(Path(f".runs/{name}-toys-16/{name}-toys-16.safetensors"))
    assert (header.steps, header.system) == (1, system)


def test_stackgans_second_stage_is_trained_on_its_first(
    toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(stackgan.RECIPES, "small", test_stackgan.FIRST)
    assert _invoke("stackgan", "--data", toys, "--steps", 1).exit_code == 0
    sketcher = Path(".runs/stackgan-toys-8/stackgan-toys-8.safetensors")
    result = _invoke("stackgan", "--data", toys, "--sketcher", sketcher, "--steps", 1)
    assert result.exit_code == 0, result.output
    header = read_header(Path(".runs/stackgan-toys-32/stackgan-toys-32.safetensors"))
    assert (header.steps, header.config["stages"]) == (1, 2)


def test_the_style_encoder_is_trained_on_a_trained_generator(
    toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(gan_int_cls.SMALL, model=test_style_encoder.CFG, batch_size=4)
    monkeypatch.setitem(gan_int_cls.RECIPES, "small", recipe)
    monkeypatch.setitem(style_encoder.RECIPES, "small", test_style_encoder.RECIPE)
    assert _invoke("gan-int-cls", "--data", toys, "--steps", 1).exit_code == 0
    generator = Path(".runs/gan-int-cls-toys-16/gan-int-cls-toys-16.safetensors")
    result = _invoke("style-encoder", "--data", toys, "--generator", generator, "--steps", 1)
    assert result.exit_code == 0, result.output
    header = read_header(Path(".runs/style-encoder-toys-16/style-encoder-toys-16.safetensors"))
    assert header.vocabulary.words == ("a", "thing")


@pytest.mark.parametrize("reader", ["words", "char-rnn"])
def test_a_trained_reader_serves_the_generator_and_what_is_trained_on_it(
    toys: Path, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    recipe = replace(gan_int_cls.SMALL, model=test_style_encoder.CFG, batch_size=4)
    monkeypatch.setitem(gan_int_cls.RECIPES, "small", recipe)
    monkeypatch.setitem(style_encoder.RECIPES, "small", test_style_encoder.RECIPE)
    train = ("--data", toys, "--steps", 1)
    first = _invoke("joint-embedding", *train, "--reader", reader, "--set", "model.text_dim=12")
    assert first.exit_code == 0, first.output
    text = Path(f".runs/joint-{reader}-toys/reader.safetensors")
    second = _invoke("gan-int-cls", *train, "--text", text)
    assert second.exit_code == 0, second.output
    generator = Path(".runs/gan-int-cls-toys-16/gan-int-cls-toys-16.safetensors")
    header = read_header(generator)
    assert (header.config["reader"], header.config["text_dim"]) == (reader, 12)
    assert header.words == (("a", "thing") if reader == "words" else ())
    third = _invoke("style-encoder", *train, "--generator", generator)
    assert third.exit_code == 0, third.output


@pytest.mark.parametrize("command", ["damsm", "vse", "joint-embedding", "tagan"])
def test_words_begin_from_vectors_whose_width_they_take(
    toys: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setitem(tagan.RECIPES, "small", test_tagan.RECIPE)
    vectors = Path("glove.txt")
    vectors.write_text("the 1 2 3 4\nthing 100 200 300 400\n")
    result = _invoke(command, "--data", toys, "--steps", 1, "--word-vectors", vectors)
    assert result.exit_code == 0, result.output
    assert "1 of 2 words begin from glove.txt" in result.output
    (path,) = Path(".runs").glob("*/*.safetensors")
    tables = [v for k, v in load_file(path).items() if k.endswith("embedding.weight")]
    for table in tables:
        assert table[-1].round(decimals=-2).tolist() == [100, 200, 300, 400]  # after one step
    assert tables


def test_letters_have_no_word_vectors(toys: Path) -> None:
    Path("glove.txt").write_text("thing 1 2\n")
    given = ("--reader", "char-gru", "--word-vectors", "glove.txt")
    result = _invoke("joint-embedding", "--data", toys, *given)
    assert result.exit_code == 2
    assert "no word vectors" in _flat(result.output)


def test_the_published_reader_of_letters_can_be_trained_on(
    toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(gan_int_cls.SMALL, model=test_style_encoder.CFG, batch_size=4)
    monkeypatch.setitem(gan_int_cls.RECIPES, "small", recipe)
    encoder = fill(CharCnnRnn(recurrent="rnn"), text_key)
    save_weights(upstream_state(encoder, text_key), Path("char_cnn_rnn.pth"))
    train = ("gan-int-cls", "--data", toys, "--steps", 1)
    result = _invoke(*train, "--text", "char_cnn_rnn.pth")
    assert result.exit_code == 0, result.output
    system = load(Path(".runs/gan-int-cls-toys-16/gan-int-cls-toys-16.safetensors"))
    read = [net.read(["a zygomorphic thing"]).sentence for net in (system.reader, encoder)]
    torch.testing.assert_close(*read, atol=1e-3, rtol=1e-3)  # float16 in the checkpoint
    save_weights({"weight": torch.zeros(1)}, Path("other.pth"))
    refused = _invoke(*train, "--text", "other.pth")
    assert refused.exit_code == 2
    assert "missing: c1.weight" in _flat(refused.output)


def test_two_processes_train_one_text_encoder(toys: Path) -> None:
    small = ("image_size=32", "batch_size=4", "model.word_dim=6", "model.text_dim=8")
    options = [part for setting in small for part in ("--set", setting)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*torchrun, "-m", "training", "vse", "--data", str(toys), "--steps", "50", *options]
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote .runs/vse-toys/vse.safetensors") == 1
    (row,) = Path(".runs/vse-toys/log.jsonl").read_text().splitlines()
    assert json.loads(row)["step"] == 50


def test_an_ablation_is_a_run_of_its_own(toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(gan_int_cls.SMALL, model=test_style_encoder.CFG, batch_size=4)
    monkeypatch.setitem(gan_int_cls.RECIPES, "small", recipe)
    command = ("gan-int-cls", "--data", toys, "--steps", 1)
    assert _invoke(*command).exit_code == 0
    ablation = (*command, "--set", "lambda_int=0", "--set", "model.z_dim=2")
    refused = _invoke(*ablation)
    assert refused.exit_code == 2
    assert "model.z_dim=3, not 2; lambda_int=1.0, not 0.0" in _flat(refused.output)
    assert _invoke(*ablation, "--run", "no-int").exit_code == 0
    assert read_header(Path("no-int/gan-int-cls-toys-16.safetensors")).config["z_dim"] == 2


def test_training_begins_with_the_weights_of_a_checkpoint(
    toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = replace(test_tagan.RECIPE, learning_rate=0.0)
    monkeypatch.setitem(tagan.RECIPES, "small", still)
    command = ("tagan", "--data", toys, "--steps", 1)
    assert _invoke(*command, "--run", "first").exit_code == 0
    before = Path("first/tagan-toys-16.safetensors")
    after = _invoke(*command, "--run", "next", "--seed", 1, "--init-from", before)
    assert "2 words of tagan-toys-16.safetensors" in _flat(after.output)
    path = Path("next/tagan-toys-16.safetensors")
    for key, value in load_file(before).items():
        if key.startswith("embedding"):
            assert torch.equal(load_file(path)[key], value), key
    assert read_header(path).data == "toys; begun with the weights of tagan-toys-16"


def test_training_does_not_begin_with_another_systems_weights(toys: Path) -> None:
    other = Path(f"{write_tiny_model(Path(), 'sisgan')}.safetensors")
    refused = _invoke("tagan", "--data", toys, "--steps", 1, "--init-from", other)
    assert refused.exit_code == 2
    assert "checkpoint of sisgan, wanted one of tagan" in _flat(refused.output)


def test_scores_are_trained_for_a_tagan_that_has_none(
    toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tagan_scores.RECIPES, "small", test_tagan_scores.RECIPE)
    generator = Path(f"{write_tiny_model(Path(), 'tagan')}.safetensors")
    result = _invoke("tagan-scores", "--data", toys, "--generator", generator, "--steps", 1)
    assert result.exit_code == 0, result.output
    header = read_header(Path(".runs/tagan-scores-toys") / generator)
    assert header.words == read_header(generator).words
    assert header.config["scores"]


def test_photos_are_inverted_in_a_trained_generator(
    toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(inversion.RECIPES, "small", test_inversion.RECIPE)
    generator = Path(f"{write_tiny_model(Path(), 'stackgan_v2')}.safetensors")
    result = _invoke("inversion", "--data", toys, "--generator", generator, "--steps", 1)
    assert result.exit_code == 0, result.output
    header = read_header(Path(".runs/inversion-toys-16/inversion-toys-16.safetensors"))
    assert (header.steps, header.config["generator"]) == (1, "stackgan_v2")
    assert header.vocabulary == read_header(generator).vocabulary


@pytest.mark.parametrize(
    ("command", "wanted"), [("style-encoder", "GanIntCls"), ("inversion", "Invertible")]
)
def test_a_checkpoint_of_another_system_is_refused(toys: Path, command: str, wanted: str) -> None:
    other = Path(f"{write_tiny_model(Path(), 'tagan')}.safetensors")
    result = _invoke(command, "--data", toys, "--generator", other)
    assert result.exit_code == 2
    assert f"checkpoint of Tagan, wanted one of {wanted}" in _flat(result.output)


def test_a_folder_without_captions_is_refused_without_a_traceback(toys: Path) -> None:
    result = _invoke("tagan", "--data", toys / "nothing")
    assert result.exit_code == 2
    assert "metadata.jsonl is missing" in _flat(result.output)
    assert not Path(".runs").exists()


@pytest.mark.parametrize("command", ["tagan", "damsm", "vse", "stackgan"])
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


def _flat(output: str) -> str:
    """Without the frame and line breaks of what a terminal is shown."""
    return " ".join(output.replace("│", " ").split())
