"""The pictures of an interpolation as one that moves, there and back. Free of torch."""

from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageSequence
from PIL.WebPImagePlugin import WebPImageFile

SIDE = 512  # pixels, the long side of a frame at most
_STEP_MS, _END_MS = 120, 720  # how long a frame is seen, and one of the two ends


def animate(frames: Sequence[Image.Image]) -> bytes:
    """Animated WebP of `frames` (RGB, of one size, at least two), for ever from end to end."""
    back = list(range(len(frames) - 2, 0, -1))
    order = [*range(len(frames)), *back]
    shown = [_END_MS if i in (0, len(frames) - 1) else _STEP_MS for i in order]
    first, *others = (frames[i] for i in order)
    file = BytesIO()
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=shown,
        loop=0,
        quality=88,
        method=2,
    )
    return file.getvalue()


def to_gif(data: bytes) -> bytes:
    """The same as GIF, for where WebP is not known; each frame has 256 colours that suit it."""
    frames, shown = [], []
    for frame in ImageSequence.Iterator(WebPImageFile(BytesIO(data))):
        colours = frame.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
        frames.append(colours)
        shown.append(frame.info["duration"])  # known once the frame is decoded
    file = BytesIO()
    frames[0].save(
        file, "GIF", save_all=True, append_images=frames[1:], duration=shown, loop=0, disposal=1
    )
    return file.getvalue()
