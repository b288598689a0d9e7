"""Every system that Wordbrush serves, one explicit row each. Free of torch, for the web process.

A new system is one file in models/, one row here and one trainer in training/.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from types import MappingProxyType, ModuleType


class Task(StrEnum):
    """What a person asks of a system."""

    MANIPULATE = "manipulate"  # picture + caption -> picture
    GENERATE = "generate"  # caption -> picture
    SEARCH = "search"  # picture, caption or both -> pictures of a library, nearest first
    MASK = "mask"  # picture -> what stands out in it; no system's, but OBJECT_FINDER's

    @property
    def needs_image(self) -> bool:
        return self in (Task.MANIPULATE, Task.MASK)


OBJECT_FINDER = "u2netp"  # the one network for masks, models/u2net.py; every worker has it


class UnknownSystem(LookupError):
    """No row of the registry has this name."""


@dataclass(frozen=True)
class Spec:
    """One system: the code of one paper."""

    name: str  # also the file, models/<name>.py
    title: str
    paper: str
    arxiv: str
    tasks: frozenset[Task]
    heatmaps: bool  # returns where each word looked
    summary: str  # one sentence for the form and the docs
    keeps_photo: bool = True  # an edit is the photo with a change; False: it is drawn anew

    def module(self) -> ModuleType:
        """The paper's file, with its `SYSTEM`, `Config` and `TINY`; imports torch."""
        return import_module(f"models.{self.name}")


_ROWS = (  # in the order in which they are offered
    Spec(
        name="tagan",
        title="TAGAN",
        paper="Nam, Kim and Kim, Text-Adaptive Generative Adversarial Networks, NeurIPS 2018",
        arxiv="1810.11919",
        tasks=frozenset({Task.MANIPULATE}),
        heatmaps=False,
        summary="Changes what the caption names and keeps the rest of the picture.",
    ),
    Spec(
        name="attngan",
        title="AttnGAN",
        paper="Xu et al., AttnGAN: Fine-Grained Text to Image Generation, CVPR 2018",
        arxiv="1711.10485",
        tasks=frozenset({Task.GENERATE}),
        heatmaps=True,
        summary="Draws a picture from words alone, in stages, and shows where each word went.",
    ),
    Spec(
        name="sisgan",
        title="SISGAN",
        paper="Dong et al., Semantic Image Synthesis via Adversarial Learning, ICCV 2017",
        arxiv="1707.06873",
        tasks=frozenset({Task.MANIPULATE}),
        heatmaps=False,
        summary="Draws what the caption says in the place and pose of your picture.",
    ),
    Spec(
        name="stackgan_v2",
        title="StackGAN-v2",
        paper="Zhang et al., StackGAN++: Realistic Image Synthesis, TPAMI 2018",
        arxiv="1710.10916",
        tasks=frozenset({Task.GENERATE}),
        heatmaps=False,
        summary="Draws the caption at several sizes at once, each from the one before.",
    ),
    Spec(
        name="stackgan",
        title="StackGAN",
        paper="Zhang et al., StackGAN: Text to Photo-realistic Image Synthesis, ICCV 2017",
        arxiv="1612.03242",
        tasks=frozenset({Task.GENERATE}),
        heatmaps=False,
        summary="Sketches the caption small, then draws it again, larger and with detail.",
    ),
    Spec(
        name="gan_int_cls",
        title="GAN-INT-CLS",
        paper="Reed et al., Generative Adversarial Text to Image Synthesis, ICML 2016",
        arxiv="1605.05396",
        tasks=frozenset({Task.GENERATE}),
        heatmaps=False,
        summary="Draws a small picture from the caption and noise.",
    ),
    Spec(
        name="style_encoder",
        title="GAN-INT-CLS style transfer",
        paper="Reed et al., Generative Adversarial Text to Image Synthesis, ICML 2016",
        arxiv="1605.05396",
        tasks=frozenset({Task.MANIPULATE}),
        heatmaps=False,
        summary="Draws the caption anew, in the pose and before the background of your picture.",
        keeps_photo=False,
    ),
    Spec(
        name="inversion",
        title="In-domain inversion",
        paper="Zhu et al., In-Domain GAN Inversion for Real Image Editing, ECCV 2020",
        arxiv="2004.00049",
        tasks=frozenset({Task.MANIPULATE}),
        heatmaps=False,
        summary="Finds how a generator would have drawn your picture, then draws it by new words.",
        keeps_photo=False,
    ),
    Spec(
        name="tirg",
        title="TIRG",
        paper="Vo et al., Composing Text and Image for Image Retrieval, CVPR 2019",
        arxiv="1812.07119",
        tasks=frozenset({Task.SEARCH}),
        heatmaps=False,
        summary="Finds pictures that are like yours, but as the words say.",
    ),
)

SYSTEMS: Mapping[str, Spec] = MappingProxyType({row.name: row for row in _ROWS})


def find(name: str) -> Spec:
    """The row called `name`.

    Raises:
        UnknownSystem: there is none; the message lists those there are.
    """
    try:
        return SYSTEMS[name]
    except KeyError:
        known = ", ".join(sorted(SYSTEMS))
        raise UnknownSystem(f"there is no system {name!r}; there is: {known}") from None
