"""The network's small change reaches the photograph's own pixels, and nothing else does."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from torch import Tensor

from worker.crops import centred_square, shrink
from worker.fullres import carry, look, place, recipe
from worker.messages import Crop

SAMPLES = Path(__file__).parents[2] / "static" / "samples"
SIDE = 64


@pytest.fixture(scope="module")
def dahlia() -> Image.Image:
    """An orange flower before a dark green ground, 640 x 427 pixels."""
    with Image.open(SAMPLES / "dahlia.jpg") as image:
        return image.convert("RGB")


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def cut(image: Image.Image, crop: Crop) -> np.ndarray:
    return levels(image)[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width]


def checkerboard(side: int) -> Tensor:
    index = torch.arange(side)
    return ((index[:, None] + index) % 2 * 2 - 1).expand(3, -1, -1).float()


def blue(source: Tensor) -> Tensor:
    """Red and blue exchanged: orange petals become blue, dark green stays nearly what it was."""
    return source.flip(0)


def steps(pixels: np.ndarray) -> float:
    """How much fine detail there is: the mean difference of neighbours."""
    return float(np.abs(np.diff(pixels, axis=0)).mean() + np.abs(np.diff(pixels, axis=1)).mean())


def test_the_network_sees_the_crop_small_and_from_minus_one_to_one() -> None:
    photo = Image.new("RGB", (300, 200), (255, 0, 0))
    photo.paste((0, 0, 255), (100, 50, 228, 178))
    seen = look(photo, Crop(100, 50, 128, 128), SIDE)
    assert seen.shape == (3, SIDE, SIDE)
    assert seen.dtype == torch.float32
    inner = seen[:, 4:-4, 4:-4]  # the outermost pixels are smoothed with the photo around them
    assert torch.equal(inner, torch.tensor([-1.0, -1.0, 1.0])[:, None, None].expand_as(inner))


def test_the_network_sees_no_aliases_of_fine_stripes() -> None:
    stripes = np.zeros((1000, 1000, 3), np.uint8)
    stripes[:, ::2] = 255
    seen = look(Image.fromarray(stripes), Crop(0, 0, 1000, 1000), SIDE)
    assert seen.abs().max() < 0.05


def test_an_answer_that_changes_nothing_leaves_every_bit(dahlia: Image.Image) -> None:
    crop = centred_square(*dahlia.size)
    source = look(dahlia, crop, SIDE)
    assert carry(dahlia, crop, source, source.clone()).tobytes() == dahlia.tobytes()


def test_an_inaccurate_but_unchanged_answer_changes_hardly_a_level(dahlia: Image.Image) -> None:
    crop = centred_square(*dahlia.size)
    source = look(dahlia, crop, SIDE)
    rough = source + 0.05 * torch.randn(source.shape, generator=torch.Generator().manual_seed(0))
    change = np.abs(levels(carry(dahlia, crop, source, rough)) - levels(dahlia))
    assert change.mean() < 1


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(16, 130),
    height=st.integers(16, 130),
    side=st.sampled_from([8, 16, 64]),
    data=st.data(),
)
def test_outside_any_crop_every_bit_stays(
    width: int, height: int, side: int, data: st.DataObject
) -> None:
    crop_width = data.draw(st.integers(1, width))
    crop_height = data.draw(st.integers(1, height))
    left = data.draw(st.integers(0, width - crop_width))
    top = data.draw(st.integers(0, height - crop_height))
    crop = Crop(left, top, crop_width, crop_height)
    photo = noise(width, height)
    source = look(photo, crop, side)
    result = carry(photo, crop, source, -source)
    assert result.size == photo.size
    before, after = levels(photo), levels(result)
    inside = (slice(top, top + crop_height), slice(left, left + crop_width))
    before[inside] = after[inside] = 0
    assert np.array_equal(before, after)


def test_where_the_mask_is_black_every_bit_stays(dahlia: Image.Image) -> None:
    crop = centred_square(*dahlia.size)
    source = look(dahlia, crop, SIDE)
    mask = Image.new("L", dahlia.size, 0)
    ImageDraw.Draw(mask).ellipse((200, 100, 400, 300), fill=255)
    result = levels(carry(dahlia, crop, source, blue(source), mask=mask))
    unmasked = levels(carry(dahlia, crop, source, blue(source)))
    black = np.asarray(mask) == 0
    assert np.array_equal(result[black], levels(dahlia)[black])
    assert np.array_equal(result[~black], unmasked[~black])
    assert np.abs(result - levels(dahlia))[~black].mean() > 30


def test_a_mask_of_another_size_is_refused(dahlia: Image.Image) -> None:
    crop = centred_square(*dahlia.size)
    source = look(dahlia, crop, SIDE)
    with pytest.raises(ValueError, match="wanted the photo's"):
        carry(dahlia, crop, source, source, mask=Image.new("L", (64, 64)))


def test_the_flower_changes_its_colour_and_the_background_stays(dahlia: Image.Image) -> None:
    crop = centred_square(*dahlia.size)
    source = look(dahlia, crop, SIDE)
    purple = source - 0.08  # a network never gives the ground back exactly
    purple[2] = torch.where(source[0] > 0.2, 0.6, source[2])
    result, before = levels(carry(dahlia, crop, source, purple)), levels(dahlia)
    petals = (slice(130, 180), slice(300, 350))
    assert before[petals][..., 2].mean() < 60
    assert result[petals][..., 2].mean() > 150
    assert np.abs(result - before)[:, 500:540].max() == 0
    assert np.abs(result - before)[:60].mean() < 0.5


@pytest.mark.parametrize("size", [(97, 203), (640, 427)])
def test_strips_give_what_the_whole_picture_at_once_would(size: tuple[int, int]) -> None:
    photo, crop = noise(*size), Crop(0, 0, *size)
    source = look(photo, crop, SIDE)
    answer = torch.rand(source.shape, generator=torch.Generator().manual_seed(2)) * 2 - 1
    pixels = torch.from_numpy(levels(photo)).permute(2, 0, 1) / 127.5 - 1
    wide = F.interpolate(
        recipe(source, answer)[None], size[::-1], mode="bilinear", align_corners=False
    )[0]
    change = (wide[:9].view(3, 3, *size[::-1]) * pixels[:, None]).sum(0) + wide[9:12]
    gate = (wide[12:15] * pixels).sum(0) + wide[15]
    change *= ((gate - 0.2) / 0.4).clamp(0, 1)
    wanted = ((pixels + change + 1) * 127.5).clamp(0, 255).permute(1, 2, 0).numpy()
    assert np.abs(levels(carry(photo, crop, source, answer)) - wanted).max() < 0.51


def test_an_affine_change_of_colour_is_the_same_at_full_resolution(dahlia: Image.Image) -> None:
    crop = Crop(0, 0, *dahlia.size)
    source = look(dahlia, crop, SIDE)
    matrix = torch.tensor([[0.2, 0.6, 0.1], [-0.5, 0.2, 0.4], [0.6, -0.3, -0.2]])
    offset = torch.tensor([0.1, -0.2, 0.15])[:, None, None]
    answer = torch.einsum("oi,ihw->ohw", matrix, source) + offset
    full = torch.from_numpy(levels(dahlia)).permute(2, 0, 1) / 127.5 - 1
    wanted = torch.einsum("oi,ihw->ohw", matrix, full) + offset
    wanted_levels = ((wanted.clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).numpy()
    error = np.abs(levels(carry(dahlia, crop, source, answer)) - wanted_levels)
    before = np.abs(levels(dahlia) - wanted_levels)
    assert error.mean() < 8
    assert error.mean() < 0.12 * before.mean()


def test_the_photos_fine_detail_is_kept(dahlia: Image.Image) -> None:
    photo = dahlia.resize((1280, 854), Image.Resampling.LANCZOS)
    crop = centred_square(*photo.size)
    source = look(photo, crop, SIDE)
    petals = Crop(500, 300, 200, 200)
    kept = steps(cut(carry(photo, crop, source, blue(source)), petals))
    assert 0.8 < kept / steps(cut(photo, petals)) < 1.25


def test_a_checkerboard_in_the_answer_does_not_show(dahlia: Image.Image) -> None:
    crop = centred_square(*dahlia.size)
    source = look(dahlia, crop, SIDE)
    plain = carry(dahlia, crop, source, blue(source))
    rough = carry(dahlia, crop, source, blue(source) + 0.2 * checkerboard(SIDE))
    inner = Crop(crop.left + 40, 40, 347, 347)  # at the very edge the pattern has no neighbours
    assert np.abs(cut(rough, inner) - cut(plain, inner)).max() <= 1


def test_the_outermost_pixels_of_an_answer_do_not_hold_the_photos_edge_back() -> None:
    photo = noise(320, 320)
    crop = Crop(0, 0, 320, 320)
    source = look(photo, crop, SIDE)
    framed = source.clone()
    framed[:, 3:-3, 3:-3] += 0.5  # blurred by one pixel, the change is whole from the fourth in
    change = levels(carry(photo, crop, source, framed)) - levels(photo)
    assert change[160, :8].mean() > 0.5 * change[160, 100:200].mean()


def test_a_new_shape_on_a_plain_ground_appears() -> None:
    photo = Image.new("RGB", (512, 512), "white")
    crop = Crop(0, 0, 512, 512)
    source = look(photo, crop, SIDE)
    answer = source.clone()
    answer[:2, 20:44, 29:35] = -0.8  # a blue bar, narrower than the window of the fit
    result = levels(carry(photo, crop, source, answer))
    assert result[256, 256, 0] < 90
    assert result[256, 256, 2] > 220
    assert result[256, 256 - 80].min() > 235


@pytest.mark.parametrize("ground", ["white", "black", (90, 140, 70), (150, 190, 230)])
def test_an_object_glows_on_no_plain_ground(ground: str | tuple[int, int, int]) -> None:
    photo = Image.new("RGB", (512, 512), ground)
    ImageDraw.Draw(photo).ellipse((150, 150, 362, 362), fill=(235, 120, 40))
    crop = Crop(0, 0, 512, 512)
    source = look(photo, crop, SIDE)
    down, across = torch.meshgrid(*[torch.arange(SIDE) - (SIDE - 1) / 2] * 2, indexing="ij")
    distance = (down.square() + across.square()).sqrt() - 106 / 8
    share = (1 - (distance + 1) / 4).clamp(0, 1)  # ends three of the network's pixels outside
    answer = source.lerp(torch.tensor([-0.6, -0.4, 0.8])[:, None, None], share)
    result, before = levels(carry(photo, crop, source, answer)), levels(photo)
    assert result[256, 256, 2] > 190
    change = np.abs(result - before).mean(axis=-1)
    from_edge = np.hypot(*np.mgrid[-256:256, -256:256]) - 106
    assert change[(from_edge > 8) & (from_edge < 24)].mean() < 0.06 * change[256, 256]


def test_a_change_falls_off_smoothly_at_an_edge_inside_the_photo() -> None:
    photo = Image.new("RGB", (400, 300), (60, 120, 180))
    crop = Crop(100, 0, 200, 200)
    source = look(photo, crop, SIDE)
    result = levels(carry(photo, crop, source, source + 0.5))[..., 0]
    across = result[50, 100:300] - 60
    assert across[0] <= 2
    assert np.abs(np.diff(across)).max() <= 10
    assert across[100] == pytest.approx(64, abs=1)
    down = result[:200, 200] - 60
    assert down[0] == pytest.approx(64, abs=1)  # the crop's top is the photo's own edge
    assert down[-1] <= 2


def test_a_smooth_ground_gets_no_bands() -> None:
    ramp = np.linspace(60, 120, 512).round().astype(np.uint8)
    photo = Image.fromarray(np.stack([np.tile(ramp, (512, 1))] * 3, axis=-1))
    crop = Crop(0, 0, 512, 512)
    source = look(photo, crop, SIDE)
    row = levels(carry(photo, crop, source, source + 0.4))[256, :, 0]
    assert np.abs(np.diff(row)).max() <= 1


@pytest.mark.parametrize("size", [(17, 301), (301, 17), (16, 16), (65, 63), (129, 127)])
@pytest.mark.parametrize("side", [16, 64, 128])
def test_odd_and_narrow_photos_keep_their_size(size: tuple[int, int], side: int) -> None:
    photo = noise(*size)
    for crop in (
        centred_square(*size),
        Crop(0, 0, *size),
        Crop(size[0] - 16, size[1] - 16, 16, 16),
    ):
        source = look(photo, crop, side)
        assert carry(photo, crop, source, -source).size == size


def test_the_same_input_gives_the_same_bytes(dahlia: Image.Image) -> None:
    crop = centred_square(*dahlia.size)
    source = look(dahlia, crop, SIDE)
    first, second = (carry(dahlia, crop, source, blue(source)).tobytes() for _ in range(2))
    assert first == second


def test_the_photo_and_the_tensors_are_left_as_they_were(dahlia: Image.Image) -> None:
    photo, crop = dahlia.copy(), centred_square(*dahlia.size)
    source = look(photo, crop, SIDE)
    answer = blue(source)
    copies = source.clone(), answer.clone()
    carry(photo, crop, source, answer)
    assert photo.tobytes() == dahlia.tobytes()
    assert torch.equal(source, copies[0])
    assert torch.equal(answer, copies[1])


@pytest.mark.parametrize(
    "crop", [Crop(106, 0, 427, 427), Crop(213, 0, 427, 427), Crop(1, 1, 30, 30)]
)
def test_a_preview_is_the_full_picture_made_small(dahlia: Image.Image, crop: Crop) -> None:
    source = look(dahlia, crop, SIDE)
    mask = Image.linear_gradient("L").resize(dahlia.size)
    preview = carry(dahlia, crop, source, blue(source), max_side=240, mask=mask)
    full = shrink(carry(dahlia, crop, source, blue(source), mask=mask), 240)
    assert preview.size == full.size == (240, 160)
    assert np.abs(levels(preview) - levels(full)).mean() < 2


def test_a_photo_smaller_than_the_preview_is_not_enlarged(dahlia: Image.Image) -> None:
    crop = centred_square(*dahlia.size)
    source = look(dahlia, crop, SIDE)
    preview = carry(dahlia, crop, source, blue(source), max_side=2000)
    assert preview.tobytes() == carry(dahlia, crop, source, blue(source)).tobytes()


def test_a_recipe_of_no_change_is_exactly_zero() -> None:
    source = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    assert not recipe(source, source).any()


def test_a_picture_drawn_anew_fills_the_crop_and_fades_at_edges_inside_the_photo(
    dahlia: Image.Image,
) -> None:
    white, crop = torch.ones(3, SIDE, SIDE), Crop(0, 100, 300, 300)
    after = place(dahlia, crop, white)
    outside = levels(after) != levels(dahlia)
    outside[100:400, :300] = False
    assert not outside.any()
    inside = cut(after, crop)
    assert (inside[30:-30, :-30] == 255).all()  # to the photo's own left edge
    assert (inside[0] != 255).any()


def test_a_picture_drawn_anew_leaves_what_the_mask_keeps(dahlia: Image.Image) -> None:
    mask = Image.new("L", dahlia.size, 0)
    mask.paste(255, (100, 100, 200, 200))
    after = place(dahlia, centred_square(*dahlia.size), torch.ones(3, SIDE, SIDE), mask=mask)
    changed = (levels(after) != levels(dahlia)).any(axis=2)
    changed[100:200, 100:200] = False
    assert not changed.any()
    assert after.getpixel((150, 150)) == (255, 255, 255)


def test_a_preview_of_a_picture_drawn_anew_is_small(dahlia: Image.Image) -> None:
    crop = centred_square(*dahlia.size)
    assert place(dahlia, crop, torch.zeros(3, SIDE, SIDE), max_side=320).size == (320, 214)
