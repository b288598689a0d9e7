"""SISGAN's published files: the generator, the text embedding, and fastText's word vectors.

The text embedding's file holds a whole VGG16 beside the GRU that reads captions; only that counts.
"""

import re
from dataclasses import replace

import torch
from torch import nn

from models.import_upstream.fitting import Handed, load_into
from models.sisgan import Config, Sisgan
from models.text.vocabulary import Vocabulary

_TEXT = "txt_encoder."
_ONLY_IN_VGG = "encoder.29.weight"
_ROLES = {"text embedding": _TEXT + "weight_ih_l0", "generator": "mu.0.weight"}


def convert(handed: Handed) -> Sisgan:
    """The published system, with VGG16 if its generator has it; its words are the vectors'.

    Raises:
        MissingFile, NotTheseWeights, UnreadableFile: what was given is not SISGAN's.
    """
    roles = handed.by_role(_ROLES)
    origin, state = roles["generator"]
    cfg = replace(Config(), encoder="vgg16" if _ONLY_IN_VGG in state else "plain")
    words, table = handed.word_vectors(cfg.text.word_dim)
    system = Sisgan(cfg, Vocabulary(words)).eval()
    load_into(system.generator, state, generator_key, origin)
    origin, embedding = roles["text embedding"]
    spoken = {key: value for key, value in embedding.items() if key.startswith(_TEXT)}
    load_into(nn.ModuleDict({"rnn": system.text.rnn}), spoken, text_key, origin)
    with torch.no_grad():
        system.text.embedding.weight.copy_(table)
    return system


def generator_key(key: str) -> str:
    """Ours -> the authors', of `Generator`."""
    if found := re.fullmatch(r"decoder\.(\d)\.(\d)\.(.*)", key):
        return f"decoder.{4 * int(found[1]) + int(found[2])}.{found[3]}"
    if found := re.fullmatch(r"blocks\.(\d)\.(.*)", key):
        return f"residual_blocks.{2 + int(found[1])}.{found[2]}"
    for ours, theirs in (
        ("merge.", "residual_blocks."),
        ("to_rgb.", "decoder.8."),
        ("augment.mean.", "mu."),
        ("augment.log_sigma.", "log_sigma."),
    ):
        key = key.replace(ours, theirs)
    return key


def discriminator_key(key: str) -> str:
    """Ours -> the authors', of `Discriminator`."""
    return key.replace("residual.", "residual_branch.").replace("compress.", "compression.")


def text_key(key: str) -> str:
    """Ours -> the authors', of `SentenceReader`'s GRU."""
    return key.replace("rnn.", _TEXT)
