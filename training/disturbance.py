"""Real pictures a little disturbed, for what learns to measure: as drawings and edits look.

Shapes: B batch; pictures are 76 pixels a side before, 64 after.
"""

import numpy as np
import torch
from torch import Tensor

from training.lite2 import SIDE, resized

MARGIN = 76  # pixels a side that crops are taken from
_CROPS = range(60, MARGIN + 1)  # pixels a side


def disturbed(image: Tensor, draw: np.random.Generator) -> Tensor:
    """(B, 3, 76, 76) -> (B, 3, 64, 64): cropped, mirrored, blurred, noisy, a little brighter.

    Often blurred until only colours are left: without that, a judge takes the melange of the cloth
    for what makes grey, and calls a plain grey shirt black.
    """
    side = int(draw.choice(_CROPS))
    top, left = draw.integers(0, MARGIN - side, size=2, endpoint=True)
    image = resized(image[..., top : top + side, left : left + side], SIDE)
    if draw.random() < 0.5:
        image = image.flip(3)
    if draw.random() < 0.6:
        image = resized(resized(image, int(draw.integers(SIDE // 8, SIDE))), SIDE)
    contrast, brightness, noise = (
        torch.from_numpy(draw.normal(0, scale, (len(image), 1, 1, 1)).astype(np.float32))
        for scale in (0.06, 0.04, 0.06)
    )
    grain = torch.from_numpy(draw.standard_normal(image.shape, dtype=np.float32))
    image = image * (1 + contrast) + brightness + noise * grain
    return image.clamp(-1, 1).contiguous(memory_format=torch.channels_last)
