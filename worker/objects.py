"""What stands out in a photo, as a mask.

Shapes: S the network's side; a mask is L, white where the object is.
"""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from models.u2net import SIDE, U2Net, load_u2net
from worker import fullres
from worker.messages import Crop


@dataclass(frozen=True)
class Found:
    """Where the object of a photo is."""

    mask: Image.Image  # of the photo's size, black outside the crop
    small: Image.Image  # what the network said of the crop, S pixels a side


class ObjectFinder:
    """Has its network in memory from the first photo on."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._network: U2Net | None = None

    @torch.inference_mode()
    def find(self, photo: Image.Image, crop: Crop) -> Found:
        """The object in the crop of a photo; a black mask where nothing stands out."""
        self._network = self._network or load_u2net().to(self._device)
        image = fullres.look(photo, crop, SIDE)[None].to(self._device)
        share = self._network(image)[0].mul(255).round().to(torch.uint8).cpu()
        small = Image.fromarray(np.asarray(share))
        mask = Image.new("L", photo.size)
        size = crop.width, crop.height
        mask.paste(small.resize(size, Image.Resampling.BICUBIC), (crop.left, crop.top))
        return Found(mask, small)
