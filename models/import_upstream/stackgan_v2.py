"""StackGAN-v2's published files: `netG_N.pth`, and the char-CNN-RNN that its captions went by."""

import re

from models.import_upstream import char_cnn_rnn
from models.import_upstream.fitting import Handed, load_into
from models.stackgan_v2 import Config, StackganV2
from models.text.vocabulary import Vocabulary

_ROLES = {"char-CNN-RNN": char_cnn_rnn.MARKER, "generator": "ca_net.fc.weight"}


def convert(handed: Handed) -> StackganV2:
    """The published system for birds; it reads characters, so it has no vocabulary.

    Raises:
        MissingFile, NotTheseWeights: what was given is not StackGAN-v2's.
    """
    roles = handed.by_role(_ROLES)
    text_origin, text = roles["char-CNN-RNN"]
    cfg = Config(reader=char_cnn_rnn.kind(text))
    system = StackganV2(cfg, Vocabulary(())).eval()
    origin, state = roles["generator"]
    load_into(system.generator, state, generator_key, origin)
    load_into(system.reader, text, char_cnn_rnn.text_key, text_origin)
    return system


def generator_key(key: str) -> str:
    """Ours -> the authors', of `Generator`."""
    key = key.replace("augment.fc.0.", "ca_net.fc.").replace("first.fc.", "h_net1.fc.")
    if found := re.fullmatch(r"first\.grow\.(\d)\.(.*)", key):
        return f"h_net1.upsample{int(found[1]) + 1}.{found[2]}"
    if found := re.fullmatch(r"to_rgb\.(\d)\.(.*)", key):
        return f"img_net{int(found[1]) + 1}.img.{found[2]}"
    if found := re.fullmatch(r"next\.(\d)\.(\w+)\.(.*)", key):
        part = {"join": "jointConv", "blocks": "residual", "up": "upsample"}[found[2]]
        return f"h_net{int(found[1]) + 2}.{part}.{found[3]}"
    return key
