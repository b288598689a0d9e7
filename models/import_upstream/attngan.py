"""AttnGAN's published files: a generator (AttnDCGAN's too), its text encoder, `captions.pickle`.

The first word of the authors' vocabulary ends a caption and stands for padding; ours has the
unknown word after it, so that words move on by one place.
"""

import re

import torch
from torch import Tensor

from models.attngan import Attngan, Config
from models.import_upstream.fitting import Handed, MissingFile, NotTheseWeights, load_into, size_of
from models.import_upstream.reader import State
from models.text.vocabulary import FIRST_WORD, PAD, UNKNOWN, Vocabulary

_WORDS = "encoder.weight"
_ROLES = {"text encoder": _WORDS, "generator": "ca_net.fc.weight"}
_GATED = 4  # conditioning augmentation: mean and variance, each with a gate


def convert(handed: Handed) -> Attngan:
    """The published system, for birds or COCO.

    Raises:
        MissingFile, NotTheseWeights: what was given is not AttnGAN's.
    """
    roles = handed.by_role(_ROLES)
    if handed.vocabulary is None:
        raise MissingFile("the vocabulary is missing: captions.pickle")
    origin, state = roles["generator"]
    cfg = _config(state)
    system = Attngan(cfg, Vocabulary(handed.vocabulary[1:])).eval()
    key = generator_key if cfg.paints_every_stage else attndcgan_key
    load_into(system.generator, state, key, origin)
    origin, read = roles["text encoder"]
    load_into(system.text, _with_unknown(read, handed.vocabulary, origin), text_key, origin)
    return system


def generator_key(key: str) -> str:
    """Ours -> the authors', of `Generator`."""
    if found := re.fullmatch(r"first\.grow\.(\d)\.(.*)", key):
        return f"h_net1.upsample{int(found[1]) + 1}.{found[2]}"
    if found := re.fullmatch(r"later\.(\d)\.(.*)", key):
        part = found[2].replace("attention.project.", "att.conv_context.")
        part = part.replace("grow.", "upsample.").replace("blocks.", "residual.")
        return f"h_net{int(found[1]) + 2}.{part}"
    if found := re.fullmatch(r"to_rgb\.(\d)\.(.*)", key):
        return f"img_net{int(found[1]) + 1}.img.0.{found[2]}"
    return key.replace("first.fc.", "h_net1.fc.").replace("augment.fc.0.", "ca_net.fc.")


def attndcgan_key(key: str) -> str:
    """Ours -> the authors', of a `Generator` that paints once."""
    return generator_key(key).replace("img_net1.", "img_net.")


def text_key(key: str) -> str:
    """Ours -> the authors', of `BiLSTM`."""
    return key.replace("embedding.", "encoder.")


def _config(state: State) -> Config:
    """Widths and depths as the generator's entries have them; the published ones where it lacks."""
    published, alone = Config(), size_of(state, "img_net.img.0.weight", 1)
    gated = size_of(state, "ca_net.fc.weight", 0) or 0
    blocks = {key.split(".")[2] for key in state if key.startswith("h_net2.residual.")}
    return Config(
        width=alone or size_of(state, "img_net1.img.0.weight", 1) or published.width,
        cond_dim=gated // _GATED or published.cond_dim,
        blocks=0 if alone else len(blocks) or published.blocks,
        paints_every_stage=alone is None,
    )


def _with_unknown(state: State, words: tuple[str, ...], origin: str) -> dict[str, Tensor]:
    """The text encoder's entries, its table with a row for the unknown word: the words' mean."""
    state = dict(state)
    if (table := state.get(_WORDS)) is None:
        return state
    if len(table) != len(words):
        raise NotTheseWeights(
            f"{origin} knows {len(table)} words, captions.pickle has {len(words)}; "
            "wanted the two that belong together"
        )
    ours = torch.empty(FIRST_WORD + len(words) - 1, table.shape[1])
    ours[PAD], ours[UNKNOWN], ours[FIRST_WORD:] = table[0], table[1:].mean(0), table[1:]
    return state | {_WORDS: ours}
