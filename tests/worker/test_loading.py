"""Checkpoints are loaded once, found when they appear, and passed over when broken."""

import shutil
from pathlib import Path

import pytest
import torch

from models.base import System
from worker.loading import ModelPool, UnknownModel, choose_device, load_for_serving
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
    with pytest.raises(UnknownModel, match=f"'tagan-cats-64'; there is: {tiny_model}"):
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


def test_a_model_loaded_in_inference_mode_can_still_work_out_gradients(
    pool: ModelPool, tiny_model: str
) -> None:
    with torch.inference_mode():
        tensors = pool.get(tiny_model).state_dict().values()
    assert not any(tensor.is_inference() for tensor in tensors)
