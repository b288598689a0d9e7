"""models/damsm.py: equal to the authors' code, and what its losses may rely on."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.base import TextFeatures
from models.checkpoint import BadCheckpoint
from models.damsm import (
    Config,
    Damsm,
    Gammas,
    ImageEncoder,
    ImageFeatures,
    damsm_losses,
    load_damsm,
    save_damsm,
    sentence_scores,
    word_attention,
    word_scores,
)
from models.inception import published_units
from models.text.vocabulary import Vocabulary
from tests.models.golden import GOLDENS, assert_golden, draw, fill

WORDS = Vocabulary(("a", "red", "flower"))
SMALL = Config(word_dim=6, text_dim=8, image_encoder="lite0")


@pytest.mark.parametrize("align_corners", [False, True])
def test_image_encoder_equals_the_authors(align_corners: bool) -> None:
    network = ImageEncoder(Config(align_corners=align_corners))
    encoder = fill(network, image_key(network))
    with torch.inference_mode():
        outputs = encoder(draw("x256", 1, 3, 256, 256))
    assert_golden(f"attn_imgenc_align_corners_{str(align_corners).lower()}", outputs)


def test_losses_equal_the_authors() -> None:
    words = 0.3 * draw("w", 4, 256, 12).transpose(1, 2)
    text = TextFeatures(words, draw("rc", 4, 256), _mask(12, 9, 7, 5))
    image = ImageFeatures(0.3 * draw("reg", 4, 256, 17, 17), draw("cc", 4, 256))
    losses = damsm_losses(image, text, torch.tensor([1, 2, 2, 3]), Gammas())
    expected = GOLDENS["attn_damsm_losses_gamma_5_5_10"]
    assert [loss.item() for loss in losses] == pytest.approx(expected, abs=1e-4)
    assert losses.total().item() == pytest.approx(sum(expected), abs=1e-4)


def test_every_word_looks_somewhere_and_padding_does_not_matter() -> None:
    regions, text = torch.randn(2, 8, 3, 3), _text(4, 2)
    shorter = TextFeatures(text.words[1:, :2], text.sentence[1:], text.mask[1:, :2])
    attention = word_attention(regions, text, 5.0)
    torch.testing.assert_close(attention[:, 1, :2].sum(-1), torch.ones(2, 2))
    torch.testing.assert_close(
        word_scores(regions, text, Gammas())[:, 1:], word_scores(regions, shorter, Gammas())
    )


def test_a_picture_made_of_a_captions_words_goes_with_it_best() -> None:
    text = _text(4, 4, 4)
    regions = text.words.transpose(1, 2).reshape(3, 8, 2, 2) * 5
    assert word_scores(regions, text, Gammas()).argmax(1).tolist() == [0, 1, 2]
    assert sentence_scores(text.sentence, text).argmax(1).tolist() == [0, 1, 2]


def test_pictures_of_one_class_are_no_mismatch_of_each_other() -> None:
    image = ImageFeatures(torch.randn(2, 8, 3, 3), torch.randn(2, 8))
    alike = damsm_losses(image, _text(4, 2), torch.tensor([5, 5]), Gammas())
    other = damsm_losses(image, _text(4, 2), torch.tensor([5, 6]), Gammas())
    assert alike.total() == 0
    assert other.total() > 0


def test_gradients_are_finite_where_captions_are_padded() -> None:
    words = torch.randn(2, 4, 8) * _mask(4, 2)[..., None]
    words.requires_grad_()
    text = TextFeatures(words, torch.randn(2, 8), _mask(4, 2))
    image = ImageFeatures(torch.randn(2, 8, 3, 3), torch.randn(2, 8))
    damsm_losses(image, text, torch.tensor([1, 2]), Gammas()).total().backward()
    assert words.grad is not None
    assert words.grad.isfinite().all()


@pytest.mark.parametrize("side", [64, 100])
def test_the_small_image_encoder_takes_any_side_and_passes_gradients_to_the_picture(
    side: int,
) -> None:
    encoder = ImageEncoder(SMALL).train()
    image = torch.rand(2, 3, side, side, requires_grad=True)
    features = encoder(image)
    assert features.regions.shape == (2, 8, 8, 8)
    assert features.whole.shape == (2, 8)
    (features.regions.sum() + features.whole.sum()).backward()
    assert image.grad is not None
    assert image.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in encoder.trunk.parameters())


def test_saved_encoders_are_the_same_again_and_frozen(tmp_path: Path) -> None:
    damsm, path = Damsm(SMALL, WORDS).eval(), tmp_path / "damsm.safetensors"
    save_damsm(damsm, path)
    loaded = load_damsm(path)
    image, index = torch.rand(1, 3, 64, 64), torch.tensor([[2, 3]])
    assert torch.equal(loaded.image(image).regions, damsm.image(image).regions)
    assert torch.equal(loaded.text(index).words, damsm.text(index).words)
    assert (loaded.cfg, loaded.vocabulary) == (SMALL, WORDS)
    assert loaded.trained_parameters() == []


def test_files_that_hold_no_encoders_are_refused(tmp_path: Path) -> None:
    text, plain, other = (tmp_path / name for name in ("text", "plain", "other"))
    text.write_text("hello")
    save_file({"a": torch.zeros(1)}, plain)
    with pytest.raises(BadCheckpoint, match="no safetensors file"):
        load_damsm(text)
    with pytest.raises(BadCheckpoint, match="no safetensors file"):
        load_damsm(tmp_path / "nowhere")
    with pytest.raises(BadCheckpoint, match="holds no DAMSM"):
        load_damsm(plain)
    damsm = Damsm(SMALL, WORDS)
    damsm.cfg = replace(SMALL, text_dim=10)
    save_damsm(damsm, other)
    with pytest.raises(BadCheckpoint, match="does not fit its config"):
        load_damsm(other)


def image_key(encoder: ImageEncoder) -> Callable[[str], str]:
    """Ours -> the authors', for an encoder on Inception."""
    units = published_units(encoder)

    def rename(key: str) -> str:
        if found := re.fullmatch(r"(trunk\..*)\.(conv|bn)\.(\w+)", key):
            return f"{units[found[1]]}.{found[2]}.{found[3]}"
        key = key.replace("to_regions.", "emb_features.")
        return key.replace("to_whole.", "emb_cnn_code.")

    return rename


def _mask(*lengths: int) -> Tensor:
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def _text(*lengths: int) -> TextFeatures:
    torch.manual_seed(0)
    words = torch.randn(len(lengths), max(lengths), 8)
    return TextFeatures(words, torch.randn(len(lengths), 8), _mask(*lengths))
