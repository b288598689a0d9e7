"""GAN-INT-CLS's style encoder: the style of a picture and the content of a caption to a picture.

Source: Reed et al., "Generative Adversarial Text to Image Synthesis", ICML 2016,
arXiv:1605.05396, section 4.4 and eq. 6. The same paper as models/gan_int_cls.py, whose trained
generator is part of a checkpoint here.
Not from the paper, which gives no layers: S looks as the paper's discriminator does.
Shapes: B batch, D text width, Z noise width, S image side in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from models import gan_int_cls
from models.base import Output, Prepared, System, TextFeatures
from models.gan_int_cls import Generator, ImageEncoder
from models.registry import Task
from models.text.captions import reader
from models.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Config(gan_int_cls.Config):
    """That of the generator; the style encoder has `disc_channels` next to the image."""


TINY = Config(**vars(gan_int_cls.TINY))  # for tests


class StyleEncoder(nn.Module):
    """S: a picture to the noise that the generator would have needed for its style."""

    def __init__(self, cfg: gan_int_cls.Config) -> None:
        super().__init__()
        self.encoder = ImageEncoder(cfg)
        self.to_noise = nn.Conv2d(self.encoder.width, cfg.z_dim, 4)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1] -> (B, Z)."""
        return self.to_noise(self.encoder(image)).flatten(1)


class StyleTransfer(System):
    """G(S(x), t): the style encoder and the generator that it inverts."""

    tasks = frozenset({Task.MANIPULATE})
    keeps_photo = False

    def __init__(self, cfg: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.cfg = cfg
        self.vocabulary = vocabulary
        self.reader = reader(cfg, vocabulary)
        self.generator = Generator(cfg)
        self.style = StyleEncoder(cfg)

    @property
    def noise_dim(self) -> int:
        """None: the generator is "a deterministic decoder" (figure 6), z comes from the picture."""
        return 0

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        return self.reader.read(captions)

    def prepare(self, image: Tensor) -> Prepared:
        """(B, 3, S, S) in [-1, 1] -> the picture with its style, (B, Z, 1, 1)."""
        return Prepared(image, (self.style(image)[..., None, None],))

    def manipulate(self, prepared: Prepared, text: TextFeatures, noise: Tensor) -> Output:
        (style,) = prepared.features
        return Output(self.generator(style.flatten(1), text.sentence))


SYSTEM = StyleTransfer  # what the registry serves
