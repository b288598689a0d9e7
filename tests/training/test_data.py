"""training/data.py"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from models.text.char_cnn_rnn import spell
from models.text.vocabulary import FIRST_WORD, PAD, UNKNOWN, Vocabulary, tokenize
from training.data import BadData, CaptionedPictures, Sampling, cached_pictures, read_split

CAPTIONS = [["a red ball", "the ball is red"], ["a blue box on the floor"], ["a green cup"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures of different shape, each of one grey."""
    split = tmp_path / "toys" / "train"
    split.mkdir(parents=True)
    rows = []
    for i, captions in enumerate(CAPTIONS):
        Image.new("RGB", (30 + 10 * i, 40), (80 * i,) * 3).save(split / f"{i}.png")
        rows.append({"file_name": f"{i}.png", "captions": captions})
    (split / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path / "toys"


@pytest.fixture
def discs(tmp_path: Path) -> Path:
    """Pictures of a rough red disc before rough green, here and there."""
    split = tmp_path / "discs" / "train"
    split.mkdir(parents=True)
    rows, draw = [], np.random.default_rng(0)
    y, x = np.mgrid[:96, :96]
    for i, (top, left) in enumerate([(40, 40), (50, 45), (45, 55)]):
        is_disc = np.hypot(y - top, x - left) < 24
        flat = np.where(is_disc[..., None], (210, 30, 30), (38, 128, 38))
        pixels = np.clip(flat + draw.normal(0, 6, flat.shape), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(split / f"{i}.png")
        rows.append({"file_name": f"{i}.png", "captions": [f"a red disc {i}"]})
    (split / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path / "discs"


def test_a_batch_depends_on_seed_and_step_alone(folder: Path) -> None:
    first, again = (_pictures(folder).batch(4, seed=1, step=7) for _ in range(2))
    other = _pictures(folder).batch(4, seed=1, step=8)
    assert torch.equal(first.image, again.image)
    assert torch.equal(first.other, again.other)
    assert not torch.equal(first.matching, other.matching)


def test_labels_are_the_classes_of_the_batchs_pictures(folder: Path) -> None:
    pictures = _pictures(folder)
    labels = pictures.labels(9, seed=0, step=3)
    image = pictures.batch(9, seed=0, step=3).image
    assert labels.tolist() == [round((i.mean().item() + 1) * 127.5 / 80) for i in image]
    assert len(set(labels.tolist())) == 3


def test_captions_are_those_of_the_batch_in_words(folder: Path) -> None:
    pictures = _pictures(folder)
    batch = pictures.batch(6, seed=0, step=3)
    for captions, index in zip(
        pictures.captions(6, seed=0, step=3), (batch.matching, batch.other), strict=True
    ):
        rows = [[i for i in row if i != PAD] for row in index.tolist()]
        assert rows == [pictures.vocabulary.encode(c, pictures.max_words) for c in captions]


def test_some_pictures_have_their_object_laid_on_a_plain_ground(discs: Path) -> None:
    pictures = _pictures(discs, Sampling(plain_grounds=0.5))
    batch = pictures.batch(300, seed=0, step=1)
    assert batch.outside.shape == (300, 1, 16, 16)
    away = batch.outside[:, 0] == 1
    assert away.any((1, 2)).all()
    level = torch.stack(
        [one[:, where].mean(1) for one, where in zip(batch.image, away, strict=True)]
    )
    green = (level - torch.tensor([-0.7, 0.0, -0.7])).abs().amax(1) < 0.1
    assert 0.4 < 1 - green.float().mean() < 0.6
    inside = batch.image.where(batch.outside == 0, torch.nan).nanmean((2, 3))
    assert (inside[:, 0] > inside[:, 1]).all()  # the disc stays red


def test_what_is_outside_goes_with_the_batch_however_it_is_cropped_and_turned(discs: Path) -> None:
    pictures = _pictures(discs, Sampling(plain_grounds=1e-9))
    batch = pictures.batch(50, seed=4, step=2)
    is_disc = batch.image[:, :1] > 0
    assert not batch.outside[is_disc].any()
    assert batch.outside[~is_disc].mean() > 0.5


def test_a_recoloured_object_has_the_colour_that_its_caption_then_names(discs: Path) -> None:
    pictures = _with_blue(discs, Sampling(recoloured=0.5, shortened=1))
    own, _ = pictures.captions(300, seed=0, step=1)
    batch = pictures.batch(300, seed=0, step=1)
    blue = _is_blue(batch.image, batch.outside)
    assert [caption.startswith("a blue disc") for caption in own] == blue.tolist()
    assert 0.1 < blue.float().mean() < 0.3  # half of those with another colour are shown with it
    away = batch.image.where(batch.outside == 1, torch.nan).nanmean((2, 3))
    assert (away[:, 1] > away[:, 2] + 0.2).all()  # the ground stays green


def test_the_caption_of_what_is_painted_all_over_has_no_other_colour(discs: Path) -> None:
    listing = discs / "train" / "metadata.jsonl"
    listing.write_text(listing.read_text().replace("a red disc", "a blue and red disc"))
    pictures = _pictures(discs, Sampling(recoloured=1, all_over=0.5))
    pictures.vocabulary = Vocabulary((*pictures.vocabulary.words, "white"))
    said = list(zip(*pictures.captions(300, seed=0, step=1), strict=True))
    new = {" ".join(sorted(caption.split()[1:4:2])) for pair in said for caption in pair}
    assert new == {"blue red", "blue white", "white white"}
    all_over = [pair for pair in said if any("white and white" in caption for caption in pair)]
    assert 0.4 < len(all_over) / len(said) < 0.6


def test_what_the_other_caption_asks_for_is_known_of_recoloured_objects(discs: Path) -> None:
    pictures = _with_blue(discs, Sampling(recoloured=0.5, shortened=1, plain_grounds=0.5))
    own, other = pictures.captions(300, seed=0, step=1)
    batch = pictures.batch(300, seed=0, step=1)
    known = batch.is_asked_known == 1
    shown = _is_blue(batch.image, batch.outside)
    assert 0.2 < known.float().mean() < 0.6
    assert torch.equal(_is_blue(batch.asked, batch.outside)[known], ~shown[known])
    assert torch.equal(batch.asked[~known], batch.image[~known])
    away = (batch.outside == 1).expand_as(batch.image)
    assert torch.equal(batch.asked[away], batch.image[away])  # the same ground for both
    for captions, are_blue in ((own, shown), (other, ~shown)):
        said = [c for c, is_known in zip(captions, known.tolist(), strict=True) if is_known]
        assert [caption.split()[1] == "blue" for caption in said] == are_blue[known].tolist()


def test_without_a_use_for_them_no_objects_are_looked_for(discs: Path) -> None:
    pictures = _pictures(discs)
    assert not pictures.batch(4, seed=0, step=0).outside.any()
    assert not list((discs / "cache").glob("*objects*"))


def test_pictures_of_one_class_have_one_label(folder: Path) -> None:
    path = folder / "train" / "metadata.jsonl"
    rows = [json.loads(line) | {"class": "toy"} for line in path.read_text().splitlines()]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert set(_pictures(folder).labels(9, seed=0, step=3).tolist()) == {0}


def test_pictures_are_square_and_in_range(folder: Path) -> None:
    image = _pictures(folder).batch(5, seed=0, step=0).image
    assert image.shape == (5, 3, 16, 16)
    assert image.min() >= -1
    assert image.max() <= 1


def test_the_other_caption_is_never_one_of_the_pictures_own(folder: Path) -> None:
    pictures = _pictures(folder)
    batch = pictures.batch(200, seed=0, step=0)
    own = {tuple(row.tolist()) for row in batch.matching}
    for image, other in zip(batch.image, batch.other, strict=True):
        index = round((image.mean().item() + 1) * 127.5 / 80)
        captions = [pictures.vocabulary.encode(c, 9) for c in CAPTIONS[index]]
        assert [w for w in other.tolist() if w != PAD] not in captions
    assert len(own) > 2


def test_captions_that_are_all_alike_are_refused_rather_than_searched_for_ever(
    tmp_path: Path,
) -> None:
    split = tmp_path / "train"
    split.mkdir()
    Image.new("RGB", (20, 20)).save(split / "x.png")
    row = json.dumps({"file_name": "x.png", "captions": ["a thing"]})
    (split / "metadata.jsonl").write_text(f"{row}\n{row}")
    with pytest.raises(BadData, match="wanted others"):
        _pictures(tmp_path).batch(2, seed=0, step=0)


def test_a_swapped_caption_differs_in_its_colour_alone(folder: Path) -> None:
    pictures = _pictures(folder, Sampling(colour_swaps=1))
    batch = pictures.batch(50, seed=0, step=0)
    for matching, other in zip(batch.matching.tolist(), batch.other.tolist(), strict=True):
        changed = [(a, b) for a, b in zip(matching, other, strict=True) if a != b]
        assert len(changed) == 1


def test_dropped_words_become_unknown_ones(folder: Path) -> None:
    batch = _pictures(folder, Sampling(word_dropout=1)).batch(4, seed=0, step=0)
    assert set(batch.matching.flatten().tolist()) <= {UNKNOWN, PAD}


def test_a_shortened_caption_is_the_beginning_of_one(folder: Path) -> None:
    with (folder / "train" / "metadata.jsonl").open("a") as file:
        file.write('\n{"file_name": "0.png", "captions": ["a red ball with dots and a string"]}')
    pictures = _pictures(folder, Sampling(shortened=1))
    shown = pictures.batch(200, seed=0, step=0).matching.tolist()
    whole = pictures.vocabulary.encode("a red ball with dots and a string", 9)
    lengths = {len(row) - row.count(PAD) for row in shown if row[:3] == whole[:3]}
    assert lengths == {3, 5, 8}


def test_balanced_captions_come_equally_often_however_often_they_stand(tmp_path: Path) -> None:
    split = tmp_path / "train"
    split.mkdir()
    Image.new("RGB", (20, 20)).save(split / "x.png")
    captions = ["a white shirt"] * 98 + ["a pink shirt", "a blue hat"]
    rows = [json.dumps({"file_name": "x.png", "captions": [c]}) for c in captions]
    (split / "metadata.jsonl").write_text("\n".join(rows))
    pictures = _pictures(tmp_path, Sampling(balance=1))
    other = pictures.batch(300, seed=0, step=0).other
    pink = pictures.vocabulary.encode("pink", 1)[0]
    assert 0.25 < (other == pink).any(1).float().mean() < 0.75


def test_pictures_of_a_rare_colour_come_as_often_as_those_of_a_common_one(
    tmp_path: Path,
) -> None:
    split = tmp_path / "train"
    split.mkdir()
    rows = []
    for i in range(50):
        colour = "pink" if i == 7 else "white"
        Image.new("RGB", (20, 20)).save(split / f"{i}.png")
        rows.append(json.dumps({"file_name": f"{i}.png", "captions": [f"a {colour} shirt"]}))
    (split / "metadata.jsonl").write_text("\n".join(rows))
    pictures = _pictures(tmp_path, Sampling(colour_balance=1))
    pink = pictures.vocabulary.encode("pink", 1)[0]
    shown = pictures.batch(400, seed=0, step=0).matching
    assert 0.4 < (shown == pink).any(1).float().mean() < 0.6


def test_pictures_are_decoded_once(folder: Path) -> None:
    examples = read_split(folder, "train")
    cache = folder / "cache"
    first = cached_pictures(examples, 12, cache)
    (file,) = cache.glob("*.npy")
    before = file.stat().st_mtime_ns
    assert np.array_equal(first, cached_pictures(examples, 12, cache))
    assert file.stat().st_mtime_ns == before


def test_a_folder_without_metadata_says_what_was_wanted(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"metadata\.jsonl is missing"):
        read_split(tmp_path, "train")


def test_a_line_without_a_caption_is_named(folder: Path) -> None:
    with (folder / "train" / "metadata.jsonl").open("a") as file:
        file.write('\n{"file_name": "0.png", "captions": ["..."]}')
    with pytest.raises(BadData, match="line 4"):
        read_split(folder, "train")


def test_a_missing_picture_is_named(folder: Path) -> None:
    (folder / "train" / "1.png").unlink()
    with pytest.raises(BadData, match=r"1\.png"):
        read_split(folder, "train")


def test_letters_are_those_of_the_captions_that_words_would_be_of(folder: Path) -> None:
    sampling = Sampling(colour_swaps=1.0, shortened=0.5)
    words, letters = (_pictures(folder, sampling, by_characters=spelt) for spelt in (False, True))
    by_word, by_letter = (p.batch(6, seed=0, step=0) for p in (words, letters))
    for index, spelt in ((by_word.matching, by_letter.matching), (by_word.other, by_letter.other)):
        for row, letters_of_row in zip(index.tolist(), spelt, strict=True):
            caption = " ".join(words.vocabulary.words[i - FIRST_WORD] for i in row if i != PAD)
            assert torch.equal(spell([caption])[0], letters_of_row)


def test_a_caption_without_a_letter_can_not_be_spelt(folder: Path) -> None:
    path = folder / "train" / "metadata.jsonl"
    path.write_text(path.read_text().replace("a green cup", "\u82b1"))
    assert len(_pictures(folder)) == 3
    with pytest.raises(BadData, match="1 captions have no letter"):
        _pictures(folder, by_characters=True)


def _pictures(
    folder: Path, sampling: Sampling | None = None, *, by_characters: bool = False
) -> CaptionedPictures:
    examples = read_split(folder, "train")
    words = sorted({word for e in examples for c in e.captions for word in tokenize(c)})
    return CaptionedPictures(
        examples,
        Vocabulary(tuple(words)),
        image_size=16,
        max_words=9,
        cache=folder / "cache",
        sampling=sampling,
        by_characters=by_characters,
    )


def _with_blue(discs: Path, sampling: Sampling) -> CaptionedPictures:
    """The discs, with captions that know the word."""
    path = discs / "train" / "metadata.jsonl"
    path.write_text(path.read_text().replace('"a red disc 0"', '"a red disc 0", "it is not blue"'))
    return _pictures(discs, sampling)


def _is_blue(image: Tensor, outside: Tensor) -> Tensor:
    """Which objects are more blue than red."""
    red, _, blue = image.where(outside == 0, torch.nan).nanmean((2, 3)).unbind(1)
    return blue > red
