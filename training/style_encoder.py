"""The style encoder's loss: it learns what noise a picture was made from, from made pictures alone.

Source: Reed et al., ICML 2016, arXiv:1605.05396, section 4.4, eq. 6; the generator is a trained
GAN-INT-CLS and does not change.
Not from the paper, which does not say: optimiser, batch and learning rate.
Shapes: B batch, Z noise width, S image side in pixels.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from PIL import Image
from torch.nn.functional import mse_loss

from models.checkpoint import Header
from models.gan_int_cls import GanIntCls
from models.layers import channels_last
from models.style_encoder import Config, StyleTransfer
from training.augment import Augmentation
from training.data import CaptionedPictures, Sampling
from training.loop import Average, Part, autocast, rank, share_weights, step_generator
from training.sheets import row, sheet
from training.steps import adam, descend, faded, set_rate
from training.system_trainer import SystemTrainer

_SHEET_COLUMNS = 8


@dataclass(frozen=True)
class Recipe:
    """How it is learnt; the networks are the generator's. `SMALL` is for two CPU cores."""

    batch_size: int = 64
    learning_rate: float = 2e-4
    fade: float = 0.2  # over this last share of the steps the rate goes straight down to 0
    ema: float = 0.999
    augmentation: Augmentation = field(default_factory=Augmentation)
    sampling: Sampling = field(default_factory=Sampling)


PAPER = Recipe()
SMALL = Recipe(batch_size=32, sampling=Sampling(balance=0.5, shortened=0.4))
RECIPES = {"small": SMALL, "paper": PAPER}


class StyleTrainer(SystemTrainer):
    """S of eq. 6, on what the trained G makes of the data's captions."""

    recipe: Recipe

    def __init__(
        self,
        recipe: Recipe,
        data: CaptionedPictures,
        kept: CaptionedPictures,
        header: Header,
        *,
        trained: GanIntCls,
        steps: int,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        """`data` give captions in the words of `trained`; `kept` are looked at."""
        torch.manual_seed(seed)
        self.device = device or torch.device("cpu")
        self.recipe, self.data, self.kept, self.header = recipe, data, kept, header
        self.steps, self.seed = steps, seed
        self.cfg = Config(**asdict(trained.cfg))
        self.net = self._system(trained)
        self.net.generator.eval().requires_grad_(False)
        self.net.reader.eval().requires_grad_(False)
        self.average = Average(self.net, self._system(trained), recipe.ema)
        self.optimizer = adam(self.net.style.parameters(), recipe.learning_rate)
        share_weights(self.parts().values())

    def _system(self, trained: GanIntCls) -> StyleTransfer:
        """With the trained generator and its words, and a fresh S."""
        system = StyleTransfer(self.cfg, trained.vocabulary)
        system.generator.load_state_dict(trained.generator.state_dict())
        system.reader.load_state_dict(trained.reader.state_dict())
        return channels_last(system.to(self.device))

    def train_step(self, step: int) -> Mapping[str, float]:
        recipe = self.recipe
        rate = faded(recipe.learning_rate, step, steps=self.steps, fade=recipe.fade)
        set_rate([self.optimizer], rate)
        rng = step_generator(self.seed, step)
        batch = self.data.batch(recipe.batch_size, seed=self.seed, step=step, rank=rank())
        z = torch.randn(recipe.batch_size, self.cfg.z_dim, generator=rng).to(self.device)
        reader: Any = self.net.reader
        with autocast(self.device):
            with torch.no_grad():
                sentence = reader(batch.matching.to(self.device)).sentence
                made = recipe.augmentation(self.net.generator(z, sentence).float(), rng)
            loss = mse_loss(self.net.style(made).float(), z)  # eq. 6, mean over Z
        descend(self.optimizer, {"style": loss})
        self.average.update(step)
        return {"style": loss.item()}

    def parts(self) -> Mapping[str, Part]:
        return {"net": self.net, "average": self.average.copy, "optimizer": self.optimizer}

    @torch.inference_mode()
    def sheet(self) -> Image.Image:
        """Kept pictures, then each of the header's examples in their styles."""
        chosen = self.kept.spread(_SHEET_COLUMNS)
        source = self.kept.centres(chosen).to(self.device)
        net = self.served()
        prepared, noise = net.prepare(source), torch.zeros(len(chosen), 0, device=self.device)
        rows = [row(source)]
        for caption in self.header.examples:
            text = net.encode_text([caption] * len(chosen))
            rows.append(row(net.manipulate(prepared, text, noise).image))
        return sheet(rows, ["style", *self.header.examples])

    def served(self) -> StyleTransfer:
        net = self.average.copy
        assert isinstance(net, StyleTransfer)
        return net
