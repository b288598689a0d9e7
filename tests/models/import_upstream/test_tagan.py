"""The published TAGAN files, as their authors wrote them, become a checkpoint that is the same."""

from pathlib import Path

import pytest
import torch

from app.catalogue import Catalogue
from app.schemas.models import Checkpoint
from models.checkpoint import read_header
from models.import_upstream.__main__ import import_weights
from models.import_upstream.fitting import MissingFile, NotTheseWeights, upstream_state
from models.import_upstream.tagan import discriminator_key, generator_key
from models.tagan import Config, Discriminator, Generator, Tagan
from models.weights import load
from tests.models.golden import assert_golden, draw, fill
from tests.models.import_upstream.files_of_2018 import save_vectors, save_weights
from worker.loading import ModelPool

WORDS = ("a", "bird", "with", "red", "wings")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """`birds_G.pth` and word vectors."""
    folder = tmp_path_factory.mktemp("published")
    generator = fill(Generator(Config()), generator_key)
    save_weights(upstream_state(generator, generator_key), folder / "birds_G.pth")
    save_vectors({word: draw(word, 300) for word in WORDS}, folder / "wiki.en.vec")
    return folder / "birds_G.pth", folder / "wiki.en.vec"


@pytest.fixture(scope="module")
def imported(published: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return import_weights(published, "tagan", "birds", tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def system(imported: Path) -> Tagan:
    system = load(imported)
    assert isinstance(system, Tagan)
    return system


def test_the_checkpoint_draws_the_authors_pictures(system: Tagan) -> None:
    vectors = draw("txt", 9, 2, 300)
    vectors[5:, 1] = 0
    mask = torch.arange(9) < torch.tensor([[9], [5]])
    torch.manual_seed(7)
    noise = torch.randn(2, 128)
    with torch.inference_mode():
        image, drawn = system.generator(
            0.5 * draw("x128", 2, 3, 128, 128), vectors.transpose(0, 1), mask, noise
        )
    assert_golden("tagan_G_b2_len9_5", [image, drawn.mu, drawn.logvar / 2])


def test_the_checkpoint_has_the_words_and_their_vectors(system: Tagan) -> None:
    assert system.vocabulary.words == WORDS
    row = system.vocabulary.encode("red", 1)[0]
    torch.testing.assert_close(system.embedding.weight[row], draw("red", 300))


def test_the_checkpoint_says_where_it_is_from(imported: Path) -> None:
    header = read_header(imported)
    assert header.id == "tagan-birds-128"
    assert header.trained
    assert header.data == "published weights, imported from birds_G.pth, wiki.en.vec"


def test_the_api_offers_it_and_the_worker_serves_it(imported: Path) -> None:
    offered = Checkpoint.of(Catalogue([imported.parent]).find("tagan-birds-128"))
    assert offered.trained
    served = ModelPool([imported.parent], torch.device("cpu")).get(offered.id)
    image, noise = torch.zeros(1, 3, 128, 128), torch.zeros(1, served.noise_dim)
    with torch.inference_mode():
        text = served.encode_text(["a bird with red wings"])
        assert served.manipulate(served.prepare(image), text, noise).image.shape == image.shape


def test_another_papers_weights_are_refused_with_a_list(
    published: tuple[Path, Path], tmp_path: Path
) -> None:
    save_weights({"ca_net.fc.weight": torch.zeros(4, 4)}, tmp_path / "netG.pth")
    with pytest.raises(NotTheseWeights, match=r"missing: .* unexpected: ca_net\.fc\.weight"):
        import_weights([tmp_path / "netG.pth", published[1]], "tagan", "birds", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_without_vectors_are_refused(published: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="word vectors"):
        import_weights(published[:1], "tagan", "birds", tmp_path)


def test_with_the_discriminator_the_checkpoint_scores_words_as_the_authors_do(
    published: tuple[Path, Path], tmp_path: Path
) -> None:
    discriminator = fill(Discriminator(Config()), discriminator_key)
    save_weights(upstream_state(discriminator, discriminator_key), tmp_path / "birds_D.pth")
    files = [tmp_path / "birds_D.pth", *published]
    system = load(import_weights(files, "tagan", "birds", tmp_path / "out"))
    image, noise = torch.zeros(1, 3, 128, 128), torch.zeros(1, system.noise_dim)
    with torch.inference_mode():
        text = system.encode_text(["a bird with red wings"])
        output = system.manipulate(system.prepare(image), text, noise)
        vectors = torch.stack([draw(word, 300) for word in WORDS])[None]
        read = discriminator.text(vectors, torch.ones(1, 5, dtype=torch.bool))
        expected = discriminator(output.image, read).scores
    torch.testing.assert_close(output.scores, expected, atol=1e-4, rtol=0)


def test_two_generators_are_refused(published: tuple[Path, Path], tmp_path: Path) -> None:
    second = tmp_path / "flowers_G.pth"
    second.write_bytes(published[0].read_bytes())
    with pytest.raises(NotTheseWeights, match=r"missing: .*encoder_1"):
        import_weights([second, *published], "tagan", "birds", tmp_path / "out")
