"""The published char-CNN-RNN, in the form of its ports from Lua: what StackGAN's captions go by."""

import re
from typing import Literal

from models.import_upstream.reader import State

MARKER = "c1.weight"  # an entry that only this encoder has


def kind(state: State) -> Literal["char-gru", "char-rnn"]:
    """Which of the two published forms it is; the gated one has three input layers."""
    return "char-gru" if "i2h.2.weight" in state else "char-rnn"


def text_key(key: str) -> str:
    """Ours -> the ports', of `CharCnnRnn`."""
    if found := re.fullmatch(r"convolutions\.(\d)\.(.*)", key):
        return f"c{int(found[1]) // 3 + 1}.{found[2]}"
    key = key.replace("recurrent.from_input.", "i2h.")
    return key.replace("recurrent.from_hidden.", "h2h.")
