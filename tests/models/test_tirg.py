"""models/tirg.py: what the equations say, in every form that a config asks for."""

from dataclasses import replace

import pytest
import torch

from models.text.vocabulary import Vocabulary
from models.tirg import TINY, Config, GatedResidual, Tirg

WORDS = Vocabulary(("the", "same", "but", "in", "red", "blue"))
FORMS = {
    "last FC": TINY,
    "last conv": replace(TINY, level="map"),
    "attention": replace(TINY, level="map", attention=True),
    "concat": replace(TINY, composition="concat"),
    "concat, last conv": replace(TINY, composition="concat", level="map"),
}


@pytest.fixture(params=list(FORMS.values()), ids=list(FORMS))
def tirg(request: pytest.FixtureRequest) -> Tirg:
    return _tiny(request.param)


@torch.inference_mode()
def test_picture_and_words_both_decide(tirg: Tirg) -> None:
    pictures, text = tirg.prepare(_images()), tirg.encode_text(["in red", "in blue"])
    query = tirg.compose(pictures, text)
    others = tirg.prepare(_images().flip(3)), tirg.encode_text(["in blue", "in red"])
    assert not torch.allclose(query, tirg.compose(others[0], text))
    assert not torch.allclose(query, tirg.compose(pictures, others[1]))


@torch.inference_mode()
def test_words_alone_are_a_query_too(tirg: Tirg) -> None:
    text = tirg.encode_text(["in red", "the same but in blue"])
    alone = tirg.compose(None, text)
    assert not torch.allclose(alone[0], alone[1])
    assert not torch.allclose(alone, tirg.compose(tirg.prepare(_images()), text))


@torch.inference_mode()
def test_padding_does_not_count(tirg: Tirg) -> None:
    pictures = tirg.prepare(_images())
    together = tirg.compose(pictures, tirg.encode_text(["red", "the same but in blue"]))
    alone = tirg.compose(tirg.prepare(_images()[:1]), tirg.encode_text(["red"]))
    torch.testing.assert_close(together[:1], alone)


@torch.inference_mode()
def test_an_open_gate_and_no_residual_leave_the_picture_as_it_is() -> None:
    tirg = _tiny(TINY)
    composer = tirg.network.composer
    assert isinstance(composer, GatedResidual)
    for layers, bias in ((composer.gate, 100.0), (composer.residual, 0.0)):
        layers[-1].weight.zero_()
        layers[-1].bias.fill_(bias)
    pictures = tirg.prepare(_images())
    query = tirg.compose(pictures, tirg.encode_text(["in red", "in blue"]))
    torch.testing.assert_close(query, tirg.embed(pictures))


@torch.inference_mode()
def test_the_baselines_do_not_read_or_do_not_look() -> None:
    pictures = _images()
    for composition, ignores_words in (("image", True), ("text", False)):
        tirg = _tiny(replace(TINY, composition=composition))
        query, other = (
            tirg.compose(tirg.prepare(image), tirg.encode_text([words] * 2))
            for image, words in ((pictures, "in red"), (pictures, "in blue"))
        )
        moved = tirg.compose(tirg.prepare(pictures.flip(0)), tirg.encode_text(["in red"] * 2))
        assert torch.allclose(query, other) == ignores_words
        assert torch.allclose(query, moved) != ignores_words


def test_the_trunk_is_frozen() -> None:
    tirg = _tiny(TINY).train()
    assert not any(parameter.requires_grad for parameter in tirg.trunk.parameters())
    assert not tirg.trunk.network.training


def test_attention_needs_regions() -> None:
    with pytest.raises(ValueError, match="level 'map'"):
        Config(attention=True)


def _tiny(cfg: Config) -> Tirg:
    """With fixed random weights, none of them zero."""
    torch.manual_seed(0)
    tirg = Tirg(cfg, WORDS).eval()
    with torch.no_grad():
        for parameter in tirg.network.parameters():
            if not parameter.any():
                parameter.normal_()
    return tirg


def _images() -> torch.Tensor:
    return torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1
