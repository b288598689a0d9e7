"""AttnGAN as its authors publish it, by their names of entries, but small and random."""

from pathlib import Path

import torch

from models.attngan import Config, Generator
from models.import_upstream.attngan import generator_key, text_key
from models.import_upstream.fitting import upstream_state
from models.text.bilstm import BiLSTM
from tests.models.import_upstream.files_of_2018 import save_vocabulary, save_weights

WORDS = ("<end>", "a", "yellow", "red", "bird")


def write_published(folder: Path) -> list[Path]:
    """`netG_epoch_600.pth`, `text_encoder600.pth` and `captions.pickle`, of pictures of 256 px."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = Generator(Config(width=4, cond_dim=4, blocks=1))
        encoder = BiLSTM(len(WORDS), 300, 256)
    save_weights(upstream_state(generator, generator_key), folder / "netG_epoch_600.pth")
    save_weights(upstream_state(encoder, text_key), folder / "text_encoder600.pth")
    save_vocabulary(WORDS, folder / "captions.pickle")
    return [
        folder / name for name in ("netG_epoch_600.pth", "text_encoder600.pth", "captions.pickle")
    ]
