"""models/style_encoder.py: style of the picture, content of the words."""

import torch

from models.gan_int_cls import GanIntCls
from models.style_encoder import TINY, StyleEncoder, StyleTransfer
from models.text.vocabulary import Vocabulary

WORDS = Vocabulary(("a", "red", "flower", "blue", "bird"))


def test_a_style_is_one_noise_vector_a_picture() -> None:
    style = StyleEncoder(TINY).eval()(torch.rand(2, 3, 16, 16))
    assert style.shape == (2, TINY.z_dim)
    assert not torch.equal(style[0], style[1])


def test_the_picture_is_the_generators_for_the_style_and_the_caption() -> None:
    system = StyleTransfer(TINY, WORDS).eval()
    image, text = torch.rand(2, 3, 16, 16), system.encode_text(["a red flower", "bird"])
    with torch.inference_mode():
        output = system.manipulate(system.prepare(image), text, torch.zeros(2, 0))
        expected = system.generator(system.style(image), text.sentence)
    assert torch.equal(output.image, expected)


def test_another_picture_gives_another_style() -> None:
    torch.manual_seed(0)
    system = StyleTransfer(TINY, WORDS).eval()
    text = system.encode_text(["a red flower"])
    with torch.inference_mode():
        first, second = (
            system.manipulate(system.prepare(image), text, torch.zeros(1, 0)).image
            for image in (torch.rand(1, 3, 16, 16), -torch.rand(1, 3, 16, 16))
        )
    assert not torch.equal(first, second)


def test_the_trained_generator_fits_in_with_its_words() -> None:
    trained, system = GanIntCls(TINY, WORDS), StyleTransfer(TINY, WORDS)
    missing, unexpected = system.load_state_dict(trained.state_dict(), strict=False)
    assert unexpected == []
    assert {key.split(".")[0] for key in missing} == {"style"}
