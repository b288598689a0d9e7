"""The published SISGAN files, as their authors wrote them, become a checkpoint that is the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.checkpoint import read_header
from models.import_upstream.__main__ import import_weights
from models.import_upstream.fitting import MissingFile, NotTheseWeights, upstream_state
from models.import_upstream.sisgan import generator_key, text_key
from models.sisgan import Config, Generator, Sisgan
from models.text.vocabulary import Vocabulary
from models.text.vse import Reading, SentenceReader
from models.weights import load
from tests.models.golden import assert_golden, draw, fill
from tests.models.import_upstream.files_of_2018 import save_vectors, save_weights

WORDS = ("a", "bird", "with", "red", "wings")
GOLDENS = {"plain": "sisgan_novgg_G_b2", "vgg16": "sisgan_vgg_G_b2"}


@pytest.fixture(scope="module")
def reader() -> SentenceReader:
    """The authors' text encoder, filled by their names."""
    reader = SentenceReader(Reading(), Vocabulary(WORDS))
    fill(reader, text_key)
    with torch.no_grad():
        for row, word in enumerate(WORDS, start=2):
            reader.embedding.weight[row] = draw(word, 300)
    return reader


@pytest.fixture(scope="module")
def text_files(tmp_path_factory: pytest.TempPathFactory, reader: SentenceReader) -> list[Path]:
    """`text_embedding_birds.pth`, with entries of its image half, and word vectors."""
    folder = tmp_path_factory.mktemp("text")
    state = {
        key: value
        for key, value in upstream_state(reader, text_key).items()
        if key.startswith("txt_encoder.")
    }
    image_half = {"W.weight": torch.zeros(300, 4), "feat_extractor.0.bias": torch.zeros(4)}
    save_weights(image_half | state, folder / "text_embedding_birds.pth")
    save_vectors({word: draw(word, 300) for word in WORDS}, folder / "wiki.en.vec")
    return [folder / "text_embedding_birds.pth", folder / "wiki.en.vec"]


@pytest.mark.parametrize("encoder", ["plain", "vgg16"])
def test_the_checkpoint_draws_the_authors_pictures(
    encoder: str, text_files: list[Path], reader: SentenceReader, tmp_path: Path
) -> None:
    generator = fill(Generator(replace(Config(), encoder=encoder)), generator_key)
    save_weights(upstream_state(generator, generator_key), tmp_path / "birds.pth")
    system = load(
        import_weights([tmp_path / "birds.pth", *text_files], "sisgan", "birds", tmp_path)
    )
    assert isinstance(system, Sisgan)
    assert system.cfg.encoder == encoder
    torch.manual_seed(7)
    noise = torch.randn(2, 128)
    with torch.inference_mode():
        image, drawn = system.generator(draw("x64", 2, 3, 64, 64), draw("t300", 2, 300), noise)
        captions = ["a bird with red wings", "red"]
        torch.testing.assert_close(
            system.encode_text(captions).sentence, reader.read(captions).sentence
        )
    assert_golden(GOLDENS[encoder], [image, drawn.mu, drawn.logvar / 2])
    assert read_header(tmp_path / "sisgan-birds-64.safetensors").trained


def test_a_generator_without_its_text_embedding_is_refused(
    text_files: list[Path], tmp_path: Path
) -> None:
    save_weights({"mu.0.weight": torch.zeros(128, 300)}, tmp_path / "birds.pth")
    with pytest.raises(MissingFile, match="text embedding is missing"):
        import_weights([tmp_path / "birds.pth", text_files[1]], "sisgan", "birds", tmp_path)


def test_tagans_generator_is_refused_with_a_list(text_files: list[Path], tmp_path: Path) -> None:
    state = {"txt_encoder_f.weight_ih": torch.zeros(4), "mu.0.weight": torch.zeros(128, 512)}
    save_weights(state, tmp_path / "birds_G.pth")
    with pytest.raises(NotTheseWeights, match=r"unexpected: txt_encoder_f\.weight_ih; of another"):
        import_weights([tmp_path / "birds_G.pth", *text_files], "sisgan", "birds", tmp_path)
