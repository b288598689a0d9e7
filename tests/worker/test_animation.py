"""The steps of an interpolation become one picture that moves, there and back."""

from io import BytesIO

import pytest
from PIL import Image, ImageSequence

from worker import animation

FRAMES = [Image.new("RGB", (40, 24), (level, 0, 255 - level)) for level in (0, 85, 170, 255)]


@pytest.mark.parametrize("format", ["WEBP", "GIF"])
def test_it_goes_there_and_back_for_ever_and_stays_longer_at_the_ends(format: str) -> None:
    data = animation.animate(FRAMES)
    image = Image.open(BytesIO(animation.to_gif(data) if format == "GIF" else data))
    assert (image.format, image.size, image.info["loop"]) == (format, (40, 24), 0)
    reds, shown = [], []
    for frame in ImageSequence.Iterator(image):
        reds.append(frame.convert("RGB").getpixel((20, 12))[0])
        shown.append(frame.info["duration"])
    assert [round(red / 85) for red in reds] == [0, 1, 2, 3, 2, 1]
    assert shown[0] == shown[3] > shown[1] == shown[2] == shown[4] == shown[5]


def test_two_frames_are_enough() -> None:
    image = Image.open(BytesIO(animation.animate(FRAMES[:2])))
    assert getattr(image, "n_frames", 1) == 2
