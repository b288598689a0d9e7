"""GAN-CLS's published files: `gen_N.pth` of El-Nouby's port, and the char-CNN-RNN it read by."""

import re

from models.gan_int_cls import Config, GanIntCls
from models.import_upstream import char_cnn_rnn
from models.import_upstream.fitting import Handed, load_into, size_of
from models.text.vocabulary import Vocabulary

_LAST = "netG.12.weight"  # of the layer that makes the picture
_ROLES = {"char-CNN-RNN": char_cnn_rnn.MARKER, "generator": _LAST}


def convert(handed: Handed) -> GanIntCls:
    """The port's system; it reads characters, so it has no vocabulary.

    Raises:
        MissingFile, NotTheseWeights: what was given is not GAN-CLS's.
    """
    roles = handed.by_role(_ROLES)
    origin, state = roles["generator"]
    text_origin, text = roles["char-CNN-RNN"]
    channels = size_of(state, _LAST, 0) or 64
    cfg = Config(reader=char_cnn_rnn.kind(text), dcgan=True, gen_channels=channels)
    system = GanIntCls(cfg, Vocabulary(())).eval()
    load_into(system.generator, state, generator_key, origin)
    load_into(system.reader, text, char_cnn_rnn.text_key, text_origin)
    return system


def generator_key(key: str) -> str:
    """Ours -> the port's, of `Generator`."""
    if found := re.fullmatch(r"grow\.(\d)\.(\d)\.(.*)", key):
        return f"netG.{3 * int(found[1]) + int(found[2])}.{found[3]}"
    return key.replace("compress.", "projection.").replace("to_rgb.0.", "netG.12.")
