"""Requests become pictures in the store; what is wrong with one fails that one alone."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from models import gan_int_cls, weights
from models.base import Output, System, TextFeatures
from models.checkpoint import Header
from models.registry import OBJECT_FINDER, Task, find
from tests.tiny import write_tiny_model
from worker import crops, pictures
from worker.engine import Engine, Incompatible
from worker.loading import ModelPool, load_for_serving
from worker.messages import Crop, Failure, Request, Result
from worker.settings import Settings
from worker.store import Store, StoreDown
from worker.watch import Watch

CPU = torch.device("cpu")


@pytest.fixture
def pool(settings: Settings, tiny_model: str) -> ModelPool:
    return ModelPool(settings.checkpoints, CPU)


@pytest.fixture
def engine(pool: ModelPool, store: Store) -> Engine:
    return Engine(pool, store)


@pytest.fixture
def request_(store: Store, tiny_model: str) -> Request:
    """A complete edit of an uploaded photo, 120 x 90, JPEG."""
    image_id = store.put(file(noise(120, 90), "JPEG"), kind="uploads", suffix=".jpeg")
    return Request(Task.MANIPULATE, tiny_model, "a yellow flower", seed=3, image_id=image_id)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def file(image: Image.Image, kind: str) -> bytes:
    data = BytesIO()
    image.save(data, kind)
    return data.getvalue()


def only(outcomes: list[Result | Failure]) -> Result:
    [outcome] = outcomes
    assert isinstance(outcome, Result), outcome
    return outcome


def failed(outcomes: list[Result | Failure]) -> Failure:
    [outcome] = outcomes
    assert isinstance(outcome, Failure), outcome
    return outcome


def stored(store: Store, outcomes: list[Result | Failure]) -> list[bytes]:
    return [store.get(output.image) for output in only(outcomes).outputs]


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def test_an_edit_has_the_photos_size_and_format(
    engine: Engine, store: Store, request_: Request
) -> None:
    [output] = only(engine.run([request_])).outputs
    picture = opened(store.get(output.image))
    assert picture.size == (output.width, output.height) == (120, 90)
    assert picture.format == "JPEG"
    assert output.media_type == "image/jpeg"
    assert opened(store.get(output.network_image)).size == (16, 16)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_the_format_asked_for_is_the_one_that_comes(
    engine: Engine, store: Store, request_: Request, kind: str
) -> None:
    [data] = stored(store, engine.run([replace(request_, format=kind)]))
    assert opened(data).format == kind.upper()


def test_a_picture_says_how_it_was_made(engine: Engine, store: Store, request_: Request) -> None:
    [data] = stored(store, engine.run([request_]))
    parameters = pictures.read_parameters(data)
    assert parameters is not None
    assert parameters["caption"] == "a yellow flower"
    assert parameters["seed"] == "3"
    assert parameters["crop"] == "15,0,90,90"


def test_the_same_request_gives_the_same_bytes_cached_or_not(
    engine: Engine, pool: ModelPool, store: Store, request_: Request
) -> None:
    first = stored(store, engine.run([request_]))
    again = stored(store, engine.run([request_]))
    fresh = stored(store, Engine(pool, store, cache_bytes=0).run([request_]))
    assert first == again == fresh


def test_another_caption_gives_another_picture(
    engine: Engine, store: Store, request_: Request
) -> None:
    other = replace(request_, caption="a red flower with petals", format="png")
    ours = replace(request_, format="png")
    ours_pixels, other_pixels = (
        opened(*stored(store, engine.run([r]))).tobytes() for r in (ours, other)
    )
    assert ours_pixels != other_pixels


def test_variations_have_consecutive_seeds_and_the_first_is_the_single_one(
    engine: Engine, store: Store, request_: Request
) -> None:
    three = replace(request_, variations=3, format="png")
    result = only(engine.run([three]))
    assert [output.seed for output in result.outputs] == [3, 4, 5]
    second = replace(request_, seed=4, format="png")
    [alone] = (np.asarray(opened(d)).astype(int) for d in stored(store, engine.run([second])))
    together = np.asarray(opened(store.get(result.outputs[1].image))).astype(int)
    assert abs(alone - together).max() <= 1


def test_a_request_among_others_gives_the_picture_it_gives_alone(
    engine: Engine, store: Store, request_: Request
) -> None:
    longer = replace(request_, caption="a red flower with yellow petals", format="png")
    short = replace(request_, caption="red", format="png")
    outcomes = engine.run([longer, short])
    for request, outcome in zip((longer, short), outcomes, strict=True):
        together = np.asarray(opened(*stored(store, [outcome]))).astype(int)
        alone = np.asarray(opened(*stored(store, engine.run([request])))).astype(int)
        assert abs(together - alone).max() <= 1
        assert isinstance(outcome, Result)
        assert outcome.metrics.batch_size == 2


def test_outside_the_crop_no_bit_changes(engine: Engine, store: Store, request_: Request) -> None:
    image = noise(100, 80)
    image_id = store.put(file(image, "PNG"), kind="uploads")
    crop = Crop(10, 20, 40, 32)
    request = replace(request_, image_id=image_id, crop=crop, format="png")
    [after] = (np.array(opened(d)) for d in stored(store, engine.run([request])))
    changed = (after != np.asarray(image)).any(axis=2)
    changed[20:52, 10:50] = False
    assert not changed.any()


def test_where_the_mask_is_black_no_bit_changes(
    engine: Engine, store: Store, request_: Request
) -> None:
    image = noise(64, 64)
    image_id = store.put(file(image, "PNG"), kind="uploads")
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (0, 0, 32, 64))
    mask_id = store.put(file(mask, "PNG"), kind="uploads")
    request = replace(request_, image_id=image_id, mask_id=mask_id, format="png")
    [after] = (np.asarray(opened(d)) for d in stored(store, engine.run([request])))
    assert (after[:, 32:] == np.asarray(image)[:, 32:]).all()


def test_a_preview_is_small_and_keeps_its_transparency(
    engine: Engine, store: Store, request_: Request
) -> None:
    image = noise(1600, 800)
    image.putalpha(Image.linear_gradient("L").resize((1600, 800)))
    image_id = store.put(file(image, "PNG"), kind="uploads")
    request = replace(request_, image_id=image_id, full_resolution=False)
    [data] = stored(store, engine.run([request]))
    assert opened(data).size == (768, 384)
    assert opened(data).mode == "RGBA"


BAD_ONES = {
    "The caption has no words": {"caption": "?!"},
    "The picture is gone": {"image_id": "uploads-" + "0" * 32},
    "The crop does not fit the picture": {"crop": Crop(100, 0, 64, 64)},
    "The picture can't be used": {"image_id": "rubbish"},
    "The mask does not fit the picture": {"mask_id": "small"},
}


@pytest.mark.parametrize(("title", "fields"), BAD_ONES.items(), ids=BAD_ONES)
def test_a_bad_request_fails_alone_among_good_ones(
    engine: Engine, store: Store, request_: Request, title: str, fields: dict[str, object]
) -> None:
    made = {
        "rubbish": lambda: store.put(b"\xff\xd8\xff no more", kind="uploads"),
        "small": lambda: store.put(file(noise(20, 20), "PNG"), kind="uploads"),
    }
    fields = {k: made[v]() if isinstance(v, str) and v in made else v for k, v in fields.items()}
    bad = replace(request_, **fields)  # type: ignore[arg-type]
    first, second, third = engine.run([request_, bad, request_])
    assert isinstance(first, Result)
    assert isinstance(third, Result)
    assert isinstance(second, Failure)
    assert second.title == title


def test_an_unknown_model_is_a_failure_that_names_it(engine: Engine, request_: Request) -> None:
    failure = failed(engine.run([replace(request_, model="tagan-cats-64")]))
    assert failure.title == "There is no such model"
    assert "tagan-cats-64" in failure.detail


def test_a_task_that_the_model_has_not_is_a_failure(engine: Engine, request_: Request) -> None:
    failure = failed(engine.run([replace(request_, task=Task.GENERATE)]))
    assert failure.title == "The model can't do this"


def test_requests_for_different_models_are_not_run_together(
    engine: Engine, request_: Request
) -> None:
    with pytest.raises(Incompatible):
        engine.run([request_, replace(request_, model="other")])


class Grey(System):
    """Makes an even picture whose brightness is the first of the noise."""

    tasks = frozenset({Task.GENERATE})
    noise_dim = 2

    def encode_text(self, captions: Sequence[str]) -> TextFeatures:
        count = len(captions)
        return TextFeatures(torch.zeros(count, 1, 1), torch.zeros(count, 1), torch.ones(count, 1))

    def generate(self, text: TextFeatures, noise: torch.Tensor) -> Output:
        return Output(noise[:, :1, None, None].tanh().expand(-1, 3, 16, 16))


def test_a_picture_is_made_from_words_alone(
    settings: Settings, store: Store, tiny_model: str
) -> None:
    pool = ModelPool(settings.checkpoints, CPU, lambda path, device: Grey())
    request = Request(Task.GENERATE, tiny_model, "a red flower", seed=5, variations=2)
    first, second = only(Engine(pool, store).run([request])).outputs
    assert (first.media_type, first.width, first.height) == ("image/png", 16, 16)
    assert store.get(first.image) != store.get(second.image)


def test_a_model_that_reads_letters_draws_words_that_it_never_saw(
    settings: Settings, store: Store
) -> None:
    cfg = replace(gan_int_cls.TINY, reader="char-rnn")
    header = Header("gan_int_cls", "flowers", 16, asdict(cfg), words=())
    folder = settings.checkpoints[0]
    folder.mkdir(parents=True)
    weights.save(weights.build(header), header, folder / f"{header.id}.safetensors")
    engine = Engine(ModelPool(settings.checkpoints, CPU), store)
    asked = [Request(Task.GENERATE, header.id, text) for text in ("a zygomorphic leaf", "blue")]
    together = [data for outcome in engine.run(asked) for data in stored(store, [outcome])]
    assert together[0] != together[1]
    [unread] = engine.run([replace(asked[0], caption="\u0446\u0432\u0435\u0442")])
    assert isinstance(unread, Failure)


class Canceling(Watch):
    """Cancels as it is told to, and notes down what it hears."""

    def __init__(self, answers: Sequence[bool] = ()) -> None:
        self._answers = iter(answers)
        self.heard: list[str] = []

    def is_canceled(self, index: int) -> bool:
        return next(self._answers, False)

    def advanced(self, index: int, share: float) -> None:
        self.heard.append(f"{index} at {share}")

    def finished(self, index: int, outcome: Result | Failure) -> None:
        self.heard.append(f"{index} {type(outcome).__name__}")

    def between(self) -> None:
        self.heard.append("-")


def test_each_request_is_told_of_as_soon_as_it_has_ended(engine: Engine, request_: Request) -> None:
    watch = Canceling()
    bad = replace(request_, caption="?!")
    engine.run([replace(request_, variations=2), bad, request_], watch)
    opening, ending = ["-"] * 3, ["0 at 0.5", "0 Result", "-", "1 Failure", "-", "2 Result", "-"]
    assert watch.heard == opening + ending


def test_requests_for_a_model_that_is_not_there_are_told_of_too(
    engine: Engine, request_: Request
) -> None:
    watch = Canceling()
    engine.run([replace(request_, model="tagan-cats-64")] * 2, watch)
    assert [line for line in watch.heard if line != "-"] == ["0 Failure", "1 Failure"]


def test_no_request_at_all_is_refused(engine: Engine) -> None:
    with pytest.raises(Incompatible):
        engine.run([])


def test_a_canceled_request_leaves_nothing_and_the_others_go_on(
    engine: Engine, request_: Request, data_dir: Path
) -> None:
    before = len(list((data_dir / "store" / "results").iterdir()))
    watch = Canceling([True, False, False])
    canceled, done = engine.run([request_, request_], watch)
    assert isinstance(canceled, Failure)
    assert canceled.title == "Canceled"
    assert isinstance(done, Result)
    assert len(list((data_dir / "store" / "results").iterdir())) == before + 2


def test_a_cancel_is_noticed_between_variations(
    engine: Engine, request_: Request, data_dir: Path
) -> None:
    watch = Canceling([False, False, False, True])
    [outcome] = engine.run([replace(request_, variations=8)], watch)
    assert isinstance(outcome, Failure)
    assert len(list((data_dir / "store" / "results").iterdir())) == 2 * 2


def test_an_error_in_the_network_is_told_without_its_inside(
    settings: Settings, store: Store, request_: Request
) -> None:
    def load(path: Path, device: torch.device) -> System:
        system = load_for_serving(path, device)

        def broken(*_: object) -> None:
            raise RuntimeError("secret inside")

        system.manipulate = broken  # type: ignore[assignment, method-assign]
        return system

    failure = failed(Engine(ModelPool(settings.checkpoints, CPU, load), store).run([request_]))
    assert failure.retryable
    assert "secret" not in failure.title + failure.detail


def test_a_store_that_is_away_is_told_without_where_it_is_and_may_be_tried_again(
    engine: Engine, store: Store, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(file_id: str) -> bytes:
        raise StoreDown("no answer from http://s3.internal:7070")

    monkeypatch.setattr(store, "get", away)
    failure = failed(engine.run([request_]))
    assert failure.title == "The store can't be reached"
    assert failure.retryable
    assert "internal" not in failure.detail


def test_warming_up_loads_every_model(engine: Engine, pool: ModelPool, tiny_model: str) -> None:
    assert not pool.resident
    engine.warm()
    assert pool.resident == (tiny_model,)


def test_after_warming_up_the_first_choice_is_not_the_first_to_make_room(
    settings: Settings, store: Store, tiny_model: str
) -> None:
    folder = settings.checkpoints[0]
    birds, clothes = (write_tiny_model(folder, domain=domain) for domain in ("birds", "clothes"))
    alone = ModelPool(settings.checkpoints, CPU)
    alone.get(birds)
    pool = ModelPool(settings.checkpoints, CPU, max_bytes=2 * alone.bytes)
    Engine(pool, store).warm()
    assert set(pool.resident) == {tiny_model, birds}
    pool.get(clothes)
    assert set(pool.resident) == {tiny_model, clothes}


def test_a_photo_is_decoded_and_prepared_once_for_many_captions(
    settings: Settings, store: Store, request_: Request
) -> None:
    prepared: list[int] = []

    def load(path: Path, device: torch.device) -> System:
        system = load_for_serving(path, device)
        prepare = system.prepare

        def counting(image: torch.Tensor) -> object:
            prepared.append(1)
            return prepare(image)

        system.prepare = counting  # type: ignore[assignment, method-assign]
        return system

    engine = Engine(ModelPool(settings.checkpoints, CPU, load), store)
    for caption in ("red", "yellow", "a red flower"):
        only(engine.run([replace(request_, caption=caption)]))
    only(engine.run([replace(request_, crop=Crop(0, 0, 50, 50))]))
    assert len(prepared) == 2


def test_a_photo_is_made_small_once_for_many_previews(
    engine: Engine, store: Store, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = store.put(file(noise(1600, 800), "PNG"), kind="uploads")
    preview = replace(request_, image_id=image_id, full_resolution=False)
    [fresh] = stored(store, engine.run([preview]))
    monkeypatch.setattr(crops, "shrink", None)
    assert stored(store, engine.run([preview])) == [fresh]


@pytest.fixture
def drawing(settings: Settings) -> Request:
    """A request to a system that draws in stages and looks at the words."""
    model = write_tiny_model(settings.checkpoints[0], "attngan")
    return Request(Task.GENERATE, model, "a purple flower", variations=2)


def test_stages_are_kept_as_pictures_smallest_first(
    engine: Engine, store: Store, drawing: Request
) -> None:
    for output in only(engine.run([drawing])).outputs:
        [stage] = output.stages
        assert opened(store.get(stage)).size == (8, 8)
        assert opened(store.get(output.network_image)).size == (16, 16)


def test_every_word_has_its_heatmap_and_an_unknown_one_keeps_its_place(
    engine: Engine, store: Store, drawing: Request
) -> None:
    longer = replace(drawing, caption="a yellow flower with red petals")
    for outcome, words in zip(engine.run([drawing, longer]), (3, 6), strict=True):
        assert isinstance(outcome, Result)
        for output in outcome.outputs:
            assert len(output.words) == words
            [heatmap] = output.heatmaps
            assert len(heatmap.strengths) == words
            assert opened(store.get(heatmap.file)).size == (words * 8, 8)
    [first, _] = only(engine.run([drawing])).outputs
    assert first.words == ("a", "purple", "flower")


def test_words_that_are_not_read_are_not_told(
    engine: Engine, settings: Settings, drawing: Request
) -> None:
    limit = find("attngan").module().TINY.max_words
    result = only(engine.run([replace(drawing, caption="red " * limit + "flower")]))
    assert result.outputs[0].words == ("red",) * limit


def test_each_word_has_a_score_where_the_model_can_tell(engine: Engine, request_: Request) -> None:
    [output] = only(engine.run([request_])).outputs
    assert output.words == ("a", "yellow", "flower")
    assert len(output.scores) == 3
    assert all(0 <= score <= 1 for score in output.scores)
    assert output.heatmaps == ()


def test_where_nothing_is_told_of_words_none_are_listed(
    engine: Engine, settings: Settings, request_: Request
) -> None:
    model = write_tiny_model(settings.checkpoints[0], "sisgan")
    [output] = only(engine.run([replace(request_, model=model)])).outputs
    assert (output.words, output.heatmaps, output.scores) == ((), (), ())


def pixels(store: Store, file_id: str) -> np.ndarray:
    return np.asarray(opened(store.get(file_id))).astype(int)


@pytest.fixture
def journey(request_: Request) -> Request:
    """From one caption to a longer one, in three steps."""
    return replace(request_, format="png", steps=3, caption_to="a red flower with petals")


def test_an_interpolation_goes_from_one_plain_edit_to_the_other(
    engine: Engine, store: Store, journey: Request
) -> None:
    result = only(engine.run([journey]))
    assert [output.position for output in result.outputs] == [0, 0.5, 1]
    assert {output.seed for output in result.outputs} == {3}
    plain = replace(journey, steps=1, caption_to=None)
    for caption, output in (
        (journey.caption, result.outputs[0]),
        (journey.caption_to or "", result.outputs[2]),
    ):
        [end] = only(engine.run([replace(plain, caption=caption)])).outputs
        assert abs(pixels(store, output.image) - pixels(store, end.image)).max() <= 1
        assert (output.words, len(output.scores)) == (end.words, len(end.scores))
    between = result.outputs[1]
    assert between.words == ("a", "yellow", "flower", "a", "red", "flower", "with", "petals")
    assert len(between.scores) == 8


def test_an_interpolation_has_an_animation_and_nothing_else_has(
    engine: Engine, store: Store, request_: Request
) -> None:
    second = store.put(file(noise(120, 90, seed=1), "PNG"), kind="uploads")
    moving = only(engine.run([replace(request_, steps=3, image_id_to=second)])).animation
    assert moving is not None
    image = opened(store.get(moving))
    assert (image.format, getattr(image, "n_frames", 1)) == ("WEBP", 4)
    assert only(engine.run([request_])).animation is None


def test_a_plain_request_is_the_same_beside_an_interpolation(
    engine: Engine, store: Store, journey: Request, request_: Request
) -> None:
    request = replace(request_, format="png", caption="red flower")
    beside, _ = engine.run([request, journey])
    [mine], [alone] = only([beside]).outputs, only(engine.run([request])).outputs
    assert abs(pixels(store, mine.image) - pixels(store, alone.image)).max() <= 1
    assert mine.words == alone.words
    assert mine.scores == pytest.approx(alone.scores, abs=1e-3)


def test_between_two_photos_of_one_size_the_ends_are_the_edits_of_each(
    engine: Engine, store: Store, request_: Request
) -> None:
    second = store.put(file(noise(120, 90, seed=1), "PNG"), kind="uploads")
    crop = Crop(10, 10, 60, 60)
    plain = replace(request_, format="png", crop=crop)
    outputs = only(engine.run([replace(plain, steps=2, image_id_to=second)])).outputs
    for image_id, output in zip((plain.image_id, second), outputs, strict=True):
        [edit] = only(engine.run([replace(plain, image_id=image_id)])).outputs
        assert abs(pixels(store, output.image) - pixels(store, edit.image)).max() <= 1
        assert output.words == edit.words


def test_between_photos_of_different_size_the_crops_are_shown(
    engine: Engine, store: Store, request_: Request
) -> None:
    second = store.put(file(noise(40, 64, seed=1), "PNG"), kind="uploads")
    plain = replace(request_, format="png")
    outputs = only(engine.run([replace(plain, steps=3, image_id_to=second)])).outputs
    assert {(output.width, output.height) for output in outputs} == {(40, 40)}
    for image_id, output in zip((plain.image_id, second), (outputs[0], outputs[2]), strict=True):
        [edit] = only(engine.run([replace(plain, image_id=image_id)])).outputs
        ours, theirs = pixels(store, output.network_image), pixels(store, edit.network_image)
        assert abs(ours - theirs).max() <= 1


def test_a_mask_between_photos_of_different_size_is_refused(
    engine: Engine, store: Store, request_: Request
) -> None:
    second = store.put(file(noise(40, 64), "PNG"), kind="uploads")
    mask = store.put(file(noise(120, 90), "PNG"), kind="uploads")
    request = replace(request_, steps=3, image_id_to=second, mask_id=mask)
    assert failed(engine.run([request])).title == "The mask does not fit the picture"


def test_words_alone_are_interpolated_too(engine: Engine, store: Store, drawing: Request) -> None:
    plain = replace(drawing, variations=1)
    outputs = only(engine.run([replace(plain, steps=4, caption_to="red petals")])).outputs
    for caption, output in ((plain.caption, outputs[0]), ("red petals", outputs[3])):
        [end] = only(engine.run([replace(plain, caption=caption)])).outputs
        assert abs(pixels(store, output.image) - pixels(store, end.image)).max() <= 1
        assert output.words == end.words
        assert output.heatmaps[0].strengths == pytest.approx(end.heatmaps[0].strengths, abs=1e-3)


def test_what_a_network_draws_anew_is_placed_in_the_crop_and_not_carried(
    engine: Engine, settings: Settings, store: Store, request_: Request
) -> None:
    model = write_tiny_model(settings.checkpoints[0], "style_encoder")
    grey = Image.new("RGB", (64, 48), (90, 90, 90))
    image_id = store.put(file(grey, "PNG"), kind="uploads")
    crop = Crop(0, 0, 48, 48)
    request = replace(request_, model=model, image_id=image_id, crop=crop, format="png")
    [output] = only(engine.run([request])).outputs
    after = pixels(store, output.image)
    assert (after[:, 48:] == 90).all()
    drawn = opened(store.get(output.network_image)).resize((48, 48), Image.Resampling.BICUBIC)
    inside = np.s_[:, :40]  # towards the photo's other part it fades
    assert (after[:, :48][inside] == np.asarray(drawn)[inside]).all()


def test_the_object_of_a_photo_comes_as_a_mask_of_its_size_black_outside_the_crop(
    engine: Engine, store: Store
) -> None:
    photo = Image.new("RGB", (200, 100), "#152015")
    ImageDraw.Draw(photo).ellipse((120, 20, 180, 80), fill="#ffd84a")
    image_id = store.put(file(photo, "PNG"), kind="uploads")
    request = Request(Task.MASK, OBJECT_FINDER, "", image_id=image_id, crop=Crop(100, 0, 100, 100))
    [data] = stored(store, engine.run([request]))
    mask = np.asarray(opened(data).convert("L"))
    assert mask.shape == (100, 200)
    assert mask[40:60, 140:160].min() > 200
    assert mask[:, :100].max() == 0


def test_a_photo_that_is_gone_fails_alone_among_masks(engine: Engine, request_: Request) -> None:
    wanted = Request(Task.MASK, OBJECT_FINDER, "", image_id=request_.image_id)
    gone = replace(wanted, image_id="uploads-" + "0" * 32)
    failed, made = engine.run([gone, wanted])
    assert isinstance(failed, Failure)
    assert failed.title == "The picture is gone"
    assert isinstance(made, Result)
