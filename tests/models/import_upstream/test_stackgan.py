"""The published StackGAN and StackGAN-v2 files become checkpoints that are the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models import stackgan, stackgan_v2
from models.import_upstream import stackgan as names_v1
from models.import_upstream import stackgan_v2 as names_v2
from models.import_upstream.__main__ import import_weights
from models.import_upstream.char_cnn_rnn import text_key
from models.import_upstream.fitting import MissingFile, NotTheseWeights, upstream_state
from models.text.char_cnn_rnn import CharCnnRnn
from models.weights import load
from tests.models.golden import assert_golden, draw, fill
from tests.models.import_upstream.files_of_2018 import save_weights

CAPTIONS = ["a bird with red wings", "a bird"]


@pytest.fixture(scope="module", params=["gru", "rnn"])
def reader(request: pytest.FixtureRequest) -> CharCnnRnn:
    encoder = fill(CharCnnRnn(recurrent=request.param), text_key)
    assert isinstance(encoder, CharCnnRnn)
    return encoder


@pytest.fixture(scope="module")
def text_file(reader: CharCnnRnn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "char_cnn_rnn.pth"
    save_weights(upstream_state(reader, text_key), path)
    return path


def test_stage_one_draws_the_authors_pictures_and_reads_as_its_encoder(
    reader: CharCnnRnn, text_file: Path, tmp_path: Path
) -> None:
    cfg = replace(stackgan.Config(), stages=1, image_size=64)
    stage = fill(stackgan.StageOne(cfg), names_v1.stage_key)
    save_weights(upstream_state(stage, names_v1.stage_key), tmp_path / "netG_epoch_120.pth")
    path = import_weights(
        [tmp_path / "netG_epoch_120.pth", text_file], "stackgan", "coco", tmp_path
    )
    assert path.name == "stackgan-coco-64.safetensors"
    system = load(path)
    torch.manual_seed(7)
    noise = torch.cat([draw("z", 2, 100), torch.randn(2, 128)], dim=1)
    with torch.inference_mode():
        (picture,), drawn = system.generator(draw("t1024", 2, 1024), noise)
        read = system.encode_text(CAPTIONS).sentence
        torch.testing.assert_close(read, reader.read(CAPTIONS).sentence)
    assert_golden("stack1_coco_G1_b2", [picture, drawn.mu, drawn.logvar])


def test_widths_and_blocks_of_stage_two_are_those_of_the_file(
    text_file: Path, tmp_path: Path
) -> None:
    cfg = replace(stackgan.Config(), gen_channels=16, blocks=4)
    generator = fill(stackgan.Generator(cfg), names_v1.generator_key)
    save_weights(upstream_state(generator, names_v1.generator_key), tmp_path / "netG.pth")
    system = load(import_weights([tmp_path / "netG.pth", text_file], "stackgan", "birds", tmp_path))
    noise = torch.randn(1, system.noise_dim)
    with torch.inference_mode():
        made, _ = system.generator(draw("t1024", 1, 1024), noise)
        expected, _ = generator(draw("t1024", 1, 1024), noise)
    torch.testing.assert_close(made, expected)


def test_the_tree_draws_the_authors_pictures(text_file: Path, tmp_path: Path) -> None:
    generator = fill(stackgan_v2.Generator(stackgan_v2.Config()), names_v2.generator_key)
    state = upstream_state(generator, names_v2.generator_key)
    save_weights(state, tmp_path / "netG_1.pth", prefix="module.")
    files = [tmp_path / "netG_1.pth", text_file]
    system = load(import_weights(files, "stackgan_v2", "birds", tmp_path))
    torch.manual_seed(7)
    noise = torch.cat([draw("z", 2, 100), torch.randn(2, 128)], dim=1)
    with torch.inference_mode():
        pictures, drawn = system.generator(draw("t1024", 2, 1024), noise)
    assert_golden("stack2_birds_G_b2", [*pictures, drawn.mu, drawn.logvar])


def test_a_generator_without_its_text_encoder_is_refused(tmp_path: Path) -> None:
    save_weights({"ca_net.fc.weight": torch.zeros(512, 1024)}, tmp_path / "netG_1.pth")
    with pytest.raises(MissingFile, match="char-CNN-RNN is missing"):
        import_weights([tmp_path / "netG_1.pth"], "stackgan_v2", "birds", tmp_path)


def test_an_unconditional_generator_is_refused(text_file: Path, tmp_path: Path) -> None:
    save_weights({"h_net1.fc.0.weight": torch.zeros(32768, 100)}, tmp_path / "netG_dog.pth")
    with pytest.raises(NotTheseWeights, match=r"missing: ca_net\.fc\.weight"):
        import_weights([tmp_path / "netG_dog.pth", text_file], "stackgan_v2", "dogs", tmp_path)
