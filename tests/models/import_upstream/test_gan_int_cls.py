"""The published files of GAN-CLS's port become a checkpoint that is the same."""

from pathlib import Path

import pytest
import torch

from models.gan_int_cls import Config, Generator
from models.import_upstream.__main__ import import_weights
from models.import_upstream.char_cnn_rnn import text_key
from models.import_upstream.fitting import NotTheseWeights, upstream_state
from models.import_upstream.gan_int_cls import generator_key
from models.text.char_cnn_rnn import CharCnnRnn
from models.weights import load
from tests.models.golden import assert_golden, draw, fill
from tests.models.import_upstream.files_of_2018 import save_weights

CAPTIONS = ["this flower has round pink petals", "a blue flower"]


@pytest.fixture(scope="module")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "char_cnn_rnn.pth"
    encoder = fill(CharCnnRnn(recurrent="rnn"), text_key)
    save_weights(upstream_state(encoder, text_key), path)
    return path


def test_the_checkpoint_draws_the_ports_pictures_and_reads_as_its_encoder(
    text_file: Path, tmp_path: Path
) -> None:
    generator = fill(Generator(Config(dcgan=True, gen_channels=64)), generator_key)
    state = upstream_state(generator, generator_key)
    save_weights(state, tmp_path / "gen_200.pth", prefix="module.")
    files = [tmp_path / "gen_200.pth", text_file]
    path = import_weights(files, "gan_int_cls", "flowers", tmp_path)
    assert path.name == "gan-int-cls-flowers-64.safetensors"
    system = load(path)
    encoder = fill(CharCnnRnn(recurrent="rnn"), text_key)
    with torch.inference_mode():
        assert_golden(
            "aelnouby_G_b2", [system.generator(draw("z", 2, 100), draw("t1024", 2, 1024))]
        )
        read = system.encode_text(CAPTIONS).sentence
        torch.testing.assert_close(read, encoder.read(CAPTIONS).sentence)


def test_a_discriminator_is_no_generator(text_file: Path, tmp_path: Path) -> None:
    save_weights({"netD_1.0.weight": torch.zeros(64, 3, 4, 4)}, tmp_path / "disc_200.pth")
    with pytest.raises(NotTheseWeights, match=r"unexpected: netD_1\.0\.weight"):
        import_weights([tmp_path / "disc_200.pth", text_file], "gan_int_cls", "flowers", tmp_path)
