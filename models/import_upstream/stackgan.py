"""StackGAN's published files: `netG_epoch_N.pth` of either stage, and the char-CNN-RNN.

A file of Stage-II has its Stage-I inside.
"""

import re

from models.import_upstream import char_cnn_rnn
from models.import_upstream.fitting import Handed, load_into, size_of
from models.import_upstream.reader import State
from models.stackgan import Config, Stackgan
from models.text.vocabulary import Vocabulary

_STAGE_ONE = "STAGE1_G."
_ROLES = {"char-CNN-RNN": char_cnn_rnn.MARKER, "generator": "ca_net.fc.weight"}


def convert(handed: Handed) -> Stackgan:
    """The published system; it reads characters, so it has no vocabulary.

    Raises:
        MissingFile, NotTheseWeights: what was given is not StackGAN's.
    """
    roles = handed.by_role(_ROLES)
    origin, state = roles["generator"]
    text_origin, text = roles["char-CNN-RNN"]
    system = Stackgan(_config(state, text), Vocabulary(())).eval()
    if system.cfg.stages == 2:
        load_into(system.generator, state, generator_key, origin)
    else:
        load_into(system.generator.stage_one, state, stage_key, origin)
    load_into(system.reader, text, char_cnn_rnn.text_key, text_origin)
    return system


def generator_key(key: str) -> str:
    """Ours -> the authors', of `Generator`, in a file of Stage-II."""
    if key.startswith("stage_one."):
        return _STAGE_ONE + stage_key(key.removeprefix("stage_one."))
    return stage_key(key.removeprefix("stage_two."))


def stage_key(key: str) -> str:
    """Ours -> the authors', of one stage."""
    if found := re.fullmatch(r"encoder\.(\d)\.(\d)\.(.*)", key):
        layer, part = int(found[1]), int(found[2])
        return f"encoder.{part + (3 * layer - 1 if layer else 0)}.{found[3]}"
    if found := re.fullmatch(r"grow\.(\d)\.(.*)", key):
        return f"upsample{int(found[1]) + 1}.{found[2]}"
    for ours, theirs in (
        ("augment.fc.0.", "ca_net.fc."),
        ("to_rgb.", "img."),
        ("join.", "hr_joint."),
        ("blocks.", "residual."),
    ):
        if key.startswith(ours):
            return key.replace(ours, theirs, 1)
    return key


def _config(state: State, text: State) -> Config:
    """Widths and depths as the entries have them; the published ones where they lack."""
    published = Config()
    sketch = size_of(state, _STAGE_ONE + "img.0.weight", 1)
    last = sketch or size_of(state, "img.0.weight", 1)  # C of Stage-I next to its picture
    blocks = {key.split(".")[1] for key in state if key.startswith("residual.")}
    return Config(
        reader=char_cnn_rnn.kind(text),
        image_size=256 if sketch else 64,
        stages=2 if sketch else 1,
        gen_channels=2 * last if last and last % 2 == 0 else published.gen_channels,
        blocks=len(blocks) or published.blocks,
    )
