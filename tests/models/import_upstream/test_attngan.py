"""The published AttnGAN files, as their authors wrote them, become the same in our format."""

from pathlib import Path

import pytest
import torch
from torch import nn

from models.attngan import Attngan, Config, Generator
from models.import_upstream.__main__ import import_weights
from models.import_upstream.attngan import attndcgan_key, generator_key, text_key
from models.import_upstream.fitting import MissingFile, NotTheseWeights, upstream_state
from models.text.bilstm import BiLSTM
from models.text.vocabulary import UNKNOWN
from models.weights import load
from tests.models.golden import assert_golden, draw, fill
from tests.models.import_upstream.files_of_2018 import save_vocabulary, save_weights

COUNT = 5450  # words of the birds, the end of a caption among them
GOLDEN_CAPTION = " ".join(f"w{i}" for i in (5, 9, 17, 233, 41, 88, 12, 7, 301, 4, 2, 1999))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """`netG_epoch_600.pth`, `text_encoder600.pth` and `captions.pickle`."""
    folder = tmp_path_factory.mktemp("published")
    networks: dict[str, tuple[nn.Module, object]] = {
        "netG_epoch_600.pth": (fill(Generator(Config()), generator_key), generator_key),
        "text_encoder600.pth": (fill(BiLSTM(COUNT, 300, 256), text_key), text_key),
    }
    for name, (network, key) in networks.items():
        save_weights(upstream_state(network, key), folder / name)
    words = ("<end>", *(f"w{i}" for i in range(1, COUNT)))
    save_vocabulary(words, folder / "captions.pickle")
    return [*(folder / name for name in networks), folder / "captions.pickle"]


@pytest.fixture(scope="module")
def system(published: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Attngan:
    system = load(import_weights(published, "attngan", "birds", tmp_path_factory.mktemp("out")))
    assert isinstance(system, Attngan)
    return system


def test_the_checkpoint_draws_the_authors_pictures_of_the_authors_words(system: Attngan) -> None:
    torch.manual_seed(7)
    noise = torch.cat([draw("z", 3, 100)[:1], torch.randn(1, 100)], dim=1)
    with torch.inference_mode():
        drawing = system.draw(system.encode_text([GOLDEN_CAPTION]), noise)
    drawn = drawing.conditioning
    outputs = [*drawing.images, *drawing.attentions, drawn.mu, drawn.logvar]
    assert_golden("attn_G_b1_len12", outputs)


def test_attndcgan_becomes_a_checkpoint_that_draws_the_same(
    published: list[Path], tmp_path: Path
) -> None:
    generator = fill(Generator(Config(blocks=0, paints_every_stage=False)), attndcgan_key)
    state = upstream_state(generator, attndcgan_key)
    assert {"img_net.img.0.weight", "h_net2.att.conv_context.weight"} < state.keys()
    save_weights(state, tmp_path / "bird_AttnDCGAN2.pth")
    files = [tmp_path / "bird_AttnDCGAN2.pth", *published[1:]]
    system = load(import_weights(files, "attngan", "birds-dcgan", tmp_path))
    text, noise = system.encode_text([GOLDEN_CAPTION]), torch.randn(1, system.noise_dim)
    with torch.inference_mode():
        own = system.generator(text, *noise.split([100, 100], dim=1)).images
        theirs = generator(text, *noise.split([100, 100], dim=1)).images
    torch.testing.assert_close(own, theirs)


def test_an_unknown_word_stands_amid_the_known_ones(system: Attngan) -> None:
    table = system.text.embedding.weight
    torch.testing.assert_close(table[UNKNOWN], table[UNKNOWN + 1 :].mean(0), atol=1e-6, rtol=0)


def test_a_vocabulary_of_another_size_is_refused(published: list[Path], tmp_path: Path) -> None:
    save_vocabulary(("<end>", "bird"), tmp_path / "captions.pickle")
    with pytest.raises(NotTheseWeights, match=r"knows 5450 words, captions\.pickle has 2"):
        import_weights([*published[:2], tmp_path / "captions.pickle"], "attngan", "birds", tmp_path)


def test_a_missing_vocabulary_is_asked_for(published: list[Path], tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"captions\.pickle"):
        import_weights(published[:2], "attngan", "birds", tmp_path)


def test_an_image_encoder_is_no_generator(published: list[Path], tmp_path: Path) -> None:
    save_weights({"emb_cnn_code.weight": torch.zeros(256, 2048)}, tmp_path / "image_encoder.pth")
    files = [tmp_path / "image_encoder.pth", *published[1:]]
    with pytest.raises(NotTheseWeights, match=r"unexpected: emb_cnn_code\.weight"):
        import_weights(files, "attngan", "birds", tmp_path)
