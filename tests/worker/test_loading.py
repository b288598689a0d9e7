"""Checkpoints are loaded once, found when they appear, and passed over when broken."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from models.base import System
from tests.tiny import write_tiny_model
from worker.loading import ModelPool, NoDevice, UnknownModel, choose_device, load_for_serving
from worker.settings import Settings

CPU = torch.device("cpu")


@pytest.fixture
def pool(settings: Settings) -> ModelPool:
    return ModelPool(settings.checkpoints, CPU)


def test_a_model_is_loaded_once_and_kept(settings: Settings, tiny_model: str) -> None:
    loaded: list[Path] = []

    def load(path: Path, device: torch.device) -> System:
        loaded.append(path)
        return load_for_serving(path, device)

    pool = ModelPool(settings.checkpoints, CPU, load)
    assert pool.get(tiny_model) is pool.get(tiny_model)
    assert len(loaded) == 1
    assert pool.resident == (tiny_model,)


def test_a_served_model_is_in_evaluation_mode(pool: ModelPool, tiny_model: str) -> None:
    assert not any(module.training for module in pool.get(tiny_model).modules())


def test_an_unknown_model_is_named_with_the_known_ones(pool: ModelPool, tiny_model: str) -> None:
    with pytest.raises(UnknownModel, match=f"serves 'tagan-cats-64'.* has: {tiny_model}"):
        pool.get("tagan-cats-64")


def test_a_model_id_with_a_path_in_it_opens_no_file(pool: ModelPool, tiny_model: str) -> None:
    with pytest.raises(UnknownModel):
        pool.get(f"../checkpoints/{tiny_model}")


def test_a_file_that_appears_later_is_found(
    settings: Settings, tiny_model: str, data_dir: Path
) -> None:
    late = data_dir / "late"
    pool = ModelPool([late], CPU)
    with pytest.raises(UnknownModel):
        pool.get(tiny_model)
    shutil.copytree(settings.checkpoints[0], late)
    assert pool.get(tiny_model) is not None


def test_a_broken_file_is_passed_over_and_the_others_are_served(
    pool: ModelPool, settings: Settings, tiny_model: str
) -> None:
    folder = settings.checkpoints[0]
    (folder / "a-rubbish.safetensors").write_bytes(b"rubbish, and not ours at all")
    whole = (folder / f"{tiny_model}.safetensors").read_bytes()
    short = whole[: len(whole) // 2].replace(b"flowers", b"clothes")
    (folder / "b-short.safetensors").write_bytes(short)
    pool.warm()
    assert pool.resident == (tiny_model,)


def test_a_device_is_chosen_by_name() -> None:
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["cuda:99", "gpu", ""])
def test_a_device_that_is_not_here_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(NoDevice, match=f"no device '{name}' here, wanted auto, cpu or cuda"):
        choose_device(name)


def test_a_model_loaded_in_inference_mode_can_still_work_out_gradients(
    pool: ModelPool, tiny_model: str
) -> None:
    with torch.inference_mode():
        tensors = pool.get(tiny_model).state_dict().values()
    assert not any(tensor.is_inference() for tensor in tensors)


def replace_file(path: Path, data: bytes) -> None:
    """As a careful program does, with a time that differs on any file system."""
    unfinished = path.with_suffix(".new")
    unfinished.write_bytes(data)
    os.utime(unfinished, ns=(1, path.stat().st_mtime_ns + 10**9))
    unfinished.replace(path)


def test_what_was_asked_for_longest_ago_is_dropped_where_room_is_short(
    settings: Settings, tiny_model: str
) -> None:
    folder = settings.checkpoints[0]
    birds, clothes = (write_tiny_model(folder, domain=domain) for domain in ("birds", "clothes"))
    alone = ModelPool(settings.checkpoints, CPU)
    alone.get(birds)
    pool = ModelPool(settings.checkpoints, CPU, max_bytes=2 * alone.bytes)
    for model_id in (birds, clothes, birds, tiny_model):
        pool.get(model_id)
    assert pool.resident == (birds, tiny_model)
    assert pool.bytes == 2 * alone.bytes
    assert pool.get(clothes) is not None


def test_only_the_models_that_are_named_are_served(settings: Settings, tiny_model: str) -> None:
    birds = write_tiny_model(settings.checkpoints[0], domain="birds")
    pool = ModelPool(settings.checkpoints, CPU, only=[birds])
    assert pool.served == (birds,)
    pool.warm()
    assert pool.resident == (birds,)
    with pytest.raises(UnknownModel, match=f"has: {birds}"):
        pool.get(tiny_model)


def test_a_model_larger_than_the_budget_is_served_alone(
    settings: Settings, tiny_model: str
) -> None:
    birds = write_tiny_model(settings.checkpoints[0], domain="birds")
    pool = ModelPool(settings.checkpoints, CPU, max_bytes=1)
    pool.warm()
    assert len(pool.resident) == 1
    pool.get(birds)
    pool.get(tiny_model)
    assert pool.resident == (tiny_model,)


def test_a_worker_that_starts_with_too_little_room_keeps_the_first_choice(
    settings: Settings, tiny_model: str
) -> None:
    folder = settings.checkpoints[0]
    birds, clothes = (write_tiny_model(folder, domain=domain) for domain in ("birds", "clothes"))
    alone = ModelPool(settings.checkpoints, CPU)
    alone.get(birds)
    pool = ModelPool(settings.checkpoints, CPU, max_bytes=2 * alone.bytes)
    pool.warm()
    assert pool.resident == (tiny_model, birds)
    listed = ModelPool(
        settings.checkpoints, CPU, only=[clothes, birds, tiny_model], max_bytes=2 * alone.bytes
    )
    listed.warm()
    assert listed.served == (clothes, birds, tiny_model)
    assert listed.resident == (clothes, birds)


@pytest.mark.parametrize(
    ("grows", "loaded"),
    [("flowers", ["flowers"]), ("birds", ["flowers", "birds"])],
    ids=["as the first did, known before", "more than the first did, known after"],
)
def test_what_grows_too_large_in_memory_takes_the_place_of_none_that_comes_first(
    settings: Settings, tiny_model: str, grows: str, loaded: list[str]
) -> None:
    write_tiny_model(settings.checkpoints[0], domain="birds")
    asked_for: list[str] = []

    def load(path: Path, device: torch.device) -> System:
        domain = path.stem.split("-")[1]
        asked_for.append(domain)
        system = load_for_serving(path, device)
        system.register_buffer("more", torch.zeros(2**20 if domain == grows else 1))
        return system

    pool = ModelPool(settings.checkpoints, CPU, load, max_bytes=4 * 2**20 + 40_000)
    pool.warm()
    assert pool.resident == (tiny_model,)
    assert asked_for == loaded


def test_memory_is_what_the_tensors_take(pool: ModelPool, tiny_model: str) -> None:
    tensors = pool.get(tiny_model).state_dict().values()
    assert pool.bytes == sum(tensor.nbytes for tensor in tensors)


def test_a_replaced_file_is_loaded_anew_and_one_taken_away_is_dropped(
    pool: ModelPool, settings: Settings, tiny_model: str
) -> None:
    path = settings.checkpoints[0] / f"{tiny_model}.safetensors"
    before, version = pool.get(tiny_model), pool.version(tiny_model)
    assert pool.get(tiny_model) is before
    replace_file(path, path.read_bytes())
    assert pool.get(tiny_model) is not before
    assert pool.version(tiny_model) != version
    path.unlink()
    with pytest.raises(UnknownModel):
        pool.get(tiny_model)
    assert pool.resident == ()


def test_a_model_whose_file_is_taken_away_leaves_memory_though_nobody_asks_for_it(
    pool: ModelPool, settings: Settings, tiny_model: str
) -> None:
    pool.get(tiny_model)
    pool.drop_absent()
    assert pool.resident == (tiny_model,)
    (settings.checkpoints[0] / f"{tiny_model}.safetensors").unlink()
    pool.drop_absent()
    assert not pool.resident
    assert pool.bytes == 0


@pytest.mark.parametrize("written", [0.0, 0.01, 0.5])
def test_a_file_that_is_half_written_replaces_nothing(
    pool: ModelPool, settings: Settings, tiny_model: str, written: float
) -> None:
    path = settings.checkpoints[0] / f"{tiny_model}.safetensors"
    whole, before = path.read_bytes(), pool.get(tiny_model)
    replace_file(path, whole[: int(len(whole) * written)])
    assert pool.get(tiny_model) is before
    assert pool.served == (tiny_model,)
    replace_file(path, whole)
    assert pool.get(tiny_model) is not before


@pytest.mark.parametrize("written", [0.01, 0.5, 0.99])
def test_a_file_that_is_still_being_copied_is_not_served(
    pool: ModelPool, settings: Settings, tiny_model: str, written: float
) -> None:
    path = settings.checkpoints[0] / f"{tiny_model}.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * written)])
    assert list(pool.served) == []
    path.write_bytes(whole)
    assert list(pool.served) == [tiny_model]
