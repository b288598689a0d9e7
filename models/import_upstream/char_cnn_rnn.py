"""The published char-CNN-RNN, in the form of its ports from Lua: what StackGAN's captions go by."""

import re
from pathlib import Path
from typing import Literal

from models.import_upstream.fitting import load_into, size_of
from models.import_upstream.reader import State, read_weights
from models.text.captions import Reading, TrainedReader, reader
from models.text.vocabulary import Vocabulary

MARKER = "c1.weight"  # an entry that only this encoder has


def kind(state: State) -> Literal["char-gru", "char-rnn"]:
    """Which of the two published forms it is; the gated one has three input layers."""
    return "char-gru" if "i2h.2.weight" in state else "char-rnn"


def trained_reader(path: Path) -> TrainedReader:
    """The published encoder as systems are trained on it.

    Raises:
        UnreadableFile, NotTheseWeights: the file is not the encoder's.
    """
    state = read_weights(path)
    width = size_of(state, "out.weight", 0) or Reading().text_dim
    cfg, letters = Reading(kind(state), text_dim=width), Vocabulary(())
    encoder = reader(cfg, letters)
    load_into(encoder, state, text_key, path.name)
    return TrainedReader(cfg, letters, encoder.eval())


def text_key(key: str) -> str:
    """Ours -> the ports', of `CharCnnRnn`."""
    if found := re.fullmatch(r"convolutions\.(\d)\.(.*)", key):
        return f"c{int(found[1]) // 3 + 1}.{found[2]}"
    key = key.replace("recurrent.from_input.", "i2h.")
    return key.replace("recurrent.from_hidden.", "h2h.")
