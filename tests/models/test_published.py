"""Published networks of which there are no golden numbers.

Their tensors have the authors' names and shapes, and they compute what layers of these names do.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256

import pytest
import torch
from torch import Tensor, nn

from models import attngan, gan_int_cls, inversion, sisgan, stackgan, stackgan_v2
from models.import_upstream import attngan as of_attngan
from models.import_upstream import char_cnn_rnn as of_char_cnn_rnn
from models.import_upstream import stackgan as of_stackgan
from models.import_upstream import stackgan_v2 as of_stackgan_v2
from models.import_upstream.sisgan import text_key
from models.text.char_cnn_rnn import CharCnnRnn
from models.text.vocabulary import Vocabulary
from models.text.vse import SentenceReader
from tests.models.by_name import (
    biased,
    conv,
    conv_up,
    dense,
    glu,
    leaky,
    norm,
    spread,
)
from tests.models.golden import draw, fill
from tests.models.test_attngan import discriminator_key
from tests.models.test_inversion import encoder_key

Build = Callable[[], nn.Module]
Rename = Callable[[str], str]


def reed_generator_key(key: str) -> str:
    """Ours -> the transcription's, of GAN-INT-CLS's `Generator`."""
    if found := re.fullmatch(r"grow\.(\d)\.(\d)\.(block\.)?(.*)", key):
        first = (0, 3, 6, 9)[int(found[1])] + int(found[2])
        return f"net.{first}.{'c.' if found[3] else ''}{found[4]}"
    return key.replace("compress.", "fc.").replace("to_rgb.0.", "net.12.")


def reed_discriminator_key(key: str) -> str:
    """Ours -> the transcription's, of GAN-INT-CLS's `Discriminator`."""
    if found := re.fullmatch(r"encoder\.layers\.(\d)\.(\d)\.(block\.)?(.*)", key):
        first = (0, 2, 5, 7)[int(found[1])] + int(found[2])
        return f"conv.{first}.{'c.' if found[3] else ''}{found[4]}"
    return key.replace("compress.", "fc.").replace("judge.", "out.")


def stackgan_discriminator_key(key: str) -> str:
    """Ours -> the authors', of StackGAN's `Discriminator`."""
    if found := re.fullmatch(r"encoder\.(\d)\.(\d)\.(.*)", key):
        layer, part = int(found[1]), int(found[2])
        return f"encode_img.{part + (3 * layer - 1 if layer else 0)}.{found[3]}"
    key = key.replace("unconditional.", "get_uncond_logits.outlogits.0.")
    key = key.replace("conditional.", "get_cond_logits.outlogits.3.")
    return key.replace("join.", "get_cond_logits.outlogits.")


def tree_discriminator_key(side: int) -> Rename:
    """Ours -> the authors', of StackGAN-v2's `Discriminator` for pictures of this side."""
    later = {64: (), 128: ("s32", "s32_1"), 256: ("s32", "s64", "s64_1", "s64_2")}[side]

    def rename(key: str) -> str:
        if found := re.fullmatch(r"encoder\.(\d)\.(\d)\.(.*)", key):
            layer, part = int(found[1]), int(found[2])
            if layer > 3:
                return f"img_code_{later[layer - 4]}.{part}.{found[3]}"
            return f"img_code_s16.{part + (3 * layer - 1 if layer else 0)}.{found[3]}"
        key = key.replace("unconditional.", "uncond_logits.0.").replace("conditional.", "logits.0.")
        return key.replace("join.", "jointConv.")

    return rename


_ATTNGAN, _STACKGAN, _TREE = attngan.Config(), stackgan.Config(), stackgan_v2.Config()
_REED, _NO_WORDS = gan_int_cls.Config(), Vocabulary(())

# Of each network: how many tensors it has, and the start of a hash over their names and shapes.
PUBLISHED: dict[str, tuple[int, str, Build, Rename]] = {
    "attngan_coco_G": (
        102,
        "8d7e47c2166c",
        lambda: attngan.Generator(replace(_ATTNGAN, width=48, blocks=3)),
        of_attngan.generator_key,
    ),
    "attndcgan_birds_G": (
        40,
        "99ac6c350f9f",
        lambda: attngan.Generator(replace(_ATTNGAN, blocks=0, paints_every_stage=False)),
        of_attngan.attndcgan_key,
    ),
    "attngan_birds_D128": (
        35,
        "e0359a1744a1",
        lambda: attngan.Discriminator(_ATTNGAN, 128),
        discriminator_key(128),
    ),
    "stackganv1_defaultcfg_G2": (
        107,
        "cbe7f0a07c81",
        lambda: stackgan.Generator(replace(_STACKGAN, gen_channels=128, blocks=4)),
        of_stackgan.generator_key,
    ),
    "stackganv1_coco_D1": (
        23,
        "5c4ef87307bc",
        lambda: stackgan.Discriminator(_STACKGAN, 1),
        stackgan_discriminator_key,
    ),
    "stackganv1_coco_D2": (
        45,
        "cad791a3bc7f",
        lambda: stackgan.Discriminator(_STACKGAN, 2),
        stackgan_discriminator_key,
    ),
    "stackganv2_dog_G": (
        88,
        "e2eb466b2cfa",
        lambda: stackgan_v2.Generator(replace(_TREE, cond_dim=0)),
        of_stackgan_v2.generator_key,
    ),
    "stackganv2_birds_D128": (
        35,
        "0ec57dfb39a6",
        lambda: stackgan_v2.Discriminator(_TREE, 128),
        tree_discriminator_key(128),
    ),
    "stackganv2_birds_D256": (
        45,
        "4d34eafe9ef2",
        lambda: stackgan_v2.Discriminator(_TREE, 256),
        tree_discriminator_key(256),
    ),
    "reed_port_G": (64, "f6123ac1bca6", lambda: gan_int_cls.Generator(_REED), reed_generator_key),
    "reed_port_D": (
        52,
        "4fc5114a4791",
        lambda: gan_int_cls.Discriminator(_REED),
        reed_discriminator_key,
    ),
    "charcnnrnn_port_gru18": (
        20,
        "53afbe7e5df3",
        lambda: CharCnnRnn(recurrent="gru"),
        of_char_cnn_rnn.text_key,
    ),
    "charcnnrnn_port_rnn8": (
        12,
        "91b18ca48407",
        lambda: CharCnnRnn(recurrent="rnn"),
        of_char_cnn_rnn.text_key,
    ),
    "sisgan_VSE": (
        4,
        "82b743de36d4",
        lambda: SentenceReader(sisgan.Config().text, _NO_WORDS),
        text_key,
    ),
    "idinvert_E": (
        102,
        "316513cb6f6d",
        lambda: inversion.Encoder(inversion.Config().widths, 14 * 512),
        partial(encoder_key, blocks=7),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_tensors_have_the_published_names_and_shapes(name: str) -> None:
    count, digest, build, rename = PUBLISHED[name]
    with torch.device("meta"):
        state = build().state_dict()
    lines = sorted(
        f"{rename(key)} {tuple(value.shape)}"
        for key, value in state.items()
        if not key.endswith(("num_batches_tracked", "embedding.weight"))
    )
    assert (len(lines), sha256("\n".join(lines).encode()).hexdigest()[:12]) == (count, digest)


def test_reeds_generator_computes_what_its_layers_say() -> None:
    cfg = replace(_REED, text_dim=8, cond_dim=3, z_dim=4, gen_channels=4)
    z, sentence = draw("z", 2, 4), draw("t8", 2, 8)
    h = torch.cat([z, leaky(biased(dense(sentence, "fc.0", 3), "fc.0"))], dim=1)[..., None, None]
    h = biased(conv_up(h, "net.0", 32), "net.0")
    h = _residual(norm(h, "net.1"), "net.2.c", torch.relu)
    h = biased(conv_up(h, "net.3", 16, stride=2, padding=1), "net.3")
    h = _residual(norm(h, "net.4"), "net.5.c", torch.relu)
    for first, width in ((6, 8), (9, 4)):
        h = biased(conv_up(h, f"net.{first}", width, stride=2, padding=1), f"net.{first}")
        h = norm(h, f"net.{first + 1}").relu()
    expected = biased(conv_up(h, "net.12", 3, stride=2, padding=1), "net.12").tanh()
    network = fill(gan_int_cls.Generator(cfg), reed_generator_key)
    _assert_same(lambda rows: network(z[rows], sentence[rows]), expected)


def test_reeds_discriminator_computes_what_its_layers_say() -> None:
    cfg = replace(_REED, text_dim=8, cond_dim=3, disc_channels=4)
    image, sentence = draw("x64", 2, 3, 64, 64), draw("t8", 2, 8)
    h = leaky(biased(conv(image, "conv.0", 4, 4, stride=2, padding=1), "conv.0"))
    for first, width in ((2, 8), (5, 16), (7, 32)):
        h = biased(conv(h, f"conv.{first}", width, 4, stride=2, padding=1), f"conv.{first}")
        h = norm(h, f"conv.{first + 1}")
        h = leaky(h) if first == 2 else h
    h = _residual(h, "conv.9.c", leaky)
    cond = leaky(norm(biased(dense(sentence, "fc.0", 3), "fc.0"), "fc.1"))
    h = biased(conv(torch.cat([h, spread(cond, h)], dim=1), "out.0", 32, 1), "out.0")
    expected = biased(conv(leaky(norm(h, "out.1")), "out.3", 1, 4), "out.3").flatten()
    network = fill(gan_int_cls.Discriminator(cfg), reed_discriminator_key)
    _assert_same(lambda rows: network(image[rows], sentence[rows]).logits, expected)


@pytest.mark.parametrize("stage", [1, 2])
def test_stackgans_discriminators_compute_what_their_layers_say(stage: int) -> None:
    cfg = replace(_STACKGAN, cond_dim=3, disc_channels=2)
    side = 64 if stage == 1 else 256
    image, cond = draw(f"x{side}", 2, 3, side, side), draw("c3", 2, 3)
    h = leaky(conv(image, "encode_img.0", 2, 4, stride=2, padding=1))
    for n, width in enumerate((4, 8, 16, 32, 64)[: 3 if stage == 1 else 5]):
        h = conv(h, f"encode_img.{2 + 3 * n}", width, 4, stride=2, padding=1)
        h = leaky(norm(h, f"encode_img.{3 + 3 * n}"))
    for n, width in ((17, 32), (20, 16)) if stage == 2 else ():
        h = leaky(norm(conv(h, f"encode_img.{n}", width, 3, padding=1), f"encode_img.{n + 1}"))
    head = "get_cond_logits.outlogits"
    joint = conv(torch.cat([h, spread(cond, h)], dim=1), f"{head}.0", 16, 3, padding=1)
    logits = biased(conv(leaky(norm(joint, f"{head}.1")), f"{head}.3", 1, 4), f"{head}.3")
    network = fill(stackgan.Discriminator(cfg, stage), stackgan_discriminator_key)
    _assert_same(lambda rows: network(image[rows], cond[rows]).conditional, logits.flatten())
    if stage == 2:
        name = "get_uncond_logits.outlogits.0"
        free = biased(conv(h, name, 1, 4), name).flatten()
        _assert_same(lambda rows: network(image[rows], cond[rows]).unconditional, free)


@pytest.mark.parametrize("side", [128, 256])
def test_the_trees_larger_discriminators_compute_what_their_layers_say(side: int) -> None:
    cfg = replace(_TREE, cond_dim=3, disc_channels=2)
    image, cond = draw(f"x{side}", 2, 3, side, side), draw("c3", 2, 3)
    h = leaky(conv(image, "img_code_s16.0", 2, 4, stride=2, padding=1))
    for n, width in enumerate((4, 8, 16)):
        h = conv(h, f"img_code_s16.{2 + 3 * n}", width, 4, stride=2, padding=1)
        h = leaky(norm(h, f"img_code_s16.{3 + 3 * n}"))
    for name, width in (("s32", 32), ("s64", 64))[: 1 if side == 128 else 2]:
        h = conv(h, f"img_code_{name}.0", width, 4, stride=2, padding=1)
        h = leaky(norm(h, f"img_code_{name}.1"))
    for name, width in (("s32_1", 16),) if side == 128 else (("s64_1", 32), ("s64_2", 16)):
        h = conv(h, f"img_code_{name}.0", width, 3, padding=1)
        h = leaky(norm(h, f"img_code_{name}.1"))
    joint = conv(torch.cat([spread(cond, h), h], dim=1), "jointConv.0", 16, 3, padding=1)
    logits = biased(conv(leaky(norm(joint, "jointConv.1")), "logits.0", 1, 4), "logits.0")
    free = biased(conv(h, "uncond_logits.0", 1, 4), "uncond_logits.0")
    network = fill(stackgan_v2.Discriminator(cfg, side), tree_discriminator_key(side))
    _assert_same(lambda rows: network(image[rows], cond[rows]).conditional, logits.flatten())
    _assert_same(lambda rows: network(image[rows], cond[rows]).unconditional, free.flatten())


def test_the_tree_without_captions_tells_its_branches_the_noise() -> None:
    cfg = replace(_TREE, cond_dim=0, z_dim=4, gen_channels=8, branches=2, image_size=128)
    z = draw("z", 2, 4)
    h = glu(norm(dense(z, "h_net1.fc.0", 8 * 16 * 32), "h_net1.fc.1")).unflatten(1, (128, 4, 4))
    for n, width in enumerate((64, 32, 16, 8), start=1):
        h = _doubled(h, f"h_net1.upsample{n}", width)
    joint = conv(torch.cat([spread(z, h), h], dim=1), "h_net2.jointConv.0", 16, 3, padding=1)
    h = glu(norm(joint, "h_net2.jointConv.1"))
    for n in range(2):
        name = f"h_net2.residual.{n}.block"
        inner = glu(norm(conv(h, f"{name}.0", 16, 3, padding=1), f"{name}.1"))
        h = h + norm(conv(inner, f"{name}.3", 8, 3, padding=1), f"{name}.4")
    h = _doubled(h, "h_net2.upsample", 4)
    expected = conv(h, "img_net2.img.0", 3, 3, padding=1).tanh()
    network = fill(stackgan_v2.Generator(cfg), of_stackgan_v2.generator_key)
    _assert_same(lambda rows: network(draw("t1024", 2, 1024)[rows], z[rows])[0][-1], expected)


def _residual(h: Tensor, name: str, bend: Callable[[Tensor], Tensor]) -> Tensor:
    """Reed's: a quarter of the width inside, bent between and after the sum."""
    width, x = h.shape[1], h
    layers = ((width // 4, 1), (width // 4, 3), (width, 3))
    for place, (to, kernel) in zip((0, 3, 6), layers, strict=True):
        x = biased(conv(x, f"{name}.{place}", to, kernel, padding=kernel // 2), f"{name}.{place}")
        x = norm(x, f"{name}.{place + 1}")
        x = x if place == 6 else bend(x)
    return bend(h + x)


def _doubled(h: Tensor, name: str, width: int) -> Tensor:
    """The tree's: nearest neighbours, then a gated convolution."""
    h = h.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return glu(norm(conv(h, f"{name}.1", 2 * width, 3, padding=1), f"{name}.2"))


def _assert_same(run: Callable[[slice], Tensor], expected: Tensor) -> None:
    """Both rows at once, and one at a time."""
    with torch.inference_mode():
        together = run(slice(0, 2))
        alone = torch.cat([run(slice(i, i + 1)) for i in range(2)])
    torch.testing.assert_close(together, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(alone, expected, atol=1e-4, rtol=0)
