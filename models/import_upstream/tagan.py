"""TAGAN's published generators: `birds_G.pth` and `flowers_G.pth`, with fastText's word vectors.

With the discriminator's file as well, `birds_D.pth`, the checkpoint also scores each word.
"""

import re

import torch

from models.import_upstream.fitting import Handed, load_into
from models.tagan import Config, Discriminator, Tagan
from models.text.vocabulary import Vocabulary

# An entry that only this file has.
_MARKERS = {"generator": "mu.0.weight", "discriminator": "gen_filter.0.weight"}


def convert(handed: Handed) -> Tagan:
    """The published system; its words are those of the vectors.

    Raises:
        MissingFile, NotTheseWeights, UnreadableFile: what was given is not TAGAN's.
    """
    markers = _MARKERS if len(handed.weights) > 1 else {"generator": _MARKERS["generator"]}
    files = handed.by_role(markers)
    cfg = Config(scores="discriminator" in files, shared_words="discriminator" in files)
    words, table = handed.word_vectors(cfg.word_dim)
    system = Tagan(cfg, Vocabulary(words)).eval()
    origin, state = files["generator"]
    load_into(system.generator, state, generator_key, origin)
    if system.judge is not None:
        origin, state = files["discriminator"]
        discriminator = Discriminator(cfg)
        load_into(discriminator, state, discriminator_key, origin)
        system.judge.take(discriminator)
    with torch.no_grad():
        system.embedding.weight.copy_(table)
    return system


def generator_key(key: str) -> str:
    """Ours -> the authors', of `Generator`."""
    if found := re.fullmatch(r"encoder\.(\d)\.(\d)\.(.*)", key):
        layer, part = int(found[1]), int(found[2])
        return f"encoder.{part + (3 * layer - 1 if layer else 0)}.{found[3]}"
    if found := re.fullmatch(r"decoder\.(\d)\.(\d)\.(.*)", key):
        return f"decoder.{4 * int(found[1]) + int(found[2])}.{found[3]}"
    if found := re.fullmatch(r"blocks\.(\d)\.(.*)", key):
        return f"residual_blocks.{3 + int(found[1])}.{found[2]}"
    for ours, theirs in (
        ("merge.", "residual_blocks."),
        ("to_rgb.", "decoder.12."),
        ("augment.mean.", "mu."),
        ("augment.log_sigma.", "log_sigma."),
    ):
        key = key.replace(ours, theirs)
    return _text_key(key)


def discriminator_key(key: str) -> str:
    """Ours -> the authors', of `Discriminator`."""
    if found := re.fullmatch(r"encoder\.(\d)\.(\d)\.(.*)", key):
        layer, part = int(found[1]), int(found[2])
        if layer > 2:
            return f"encoder_{layer - 1}.{part}.{found[3]}"
        return f"encoder_1.{part + (3 * layer - 1 if layer else 0)}.{found[3]}"
    if found := re.fullmatch(r"to_vector\.(\d)\.(.*)", key):
        return f"GAP_{int(found[1]) + 1}.{found[2]}"
    key = key.replace("to_filter.", "gen_filter.").replace("to_layer.", "gen_weight.0.")
    return _text_key(key)


def _text_key(key: str) -> str:
    """The bi-GRU that both networks have: one cell each way in the authors' code."""
    found = re.fullmatch(r"text\.rnn\.(weight|bias)_(ih|hh)_l0(_reverse)?", key)
    return f"txt_encoder_{'b' if found[3] else 'f'}.{found[1]}_{found[2]}" if found else key
