from pathlib import Path

import pytest

from app.catalogue import Catalogue, UnknownModel
from models.registry import SYSTEMS, Task
from tests.app.conftest import write_checkpoint


def test_flowers_come_first_whatever_their_file_is_called(tmp_path: Path) -> None:
    for domain in ("birds", "flowers", "clothes"):
        write_checkpoint(tmp_path, domain=domain)
    found = [header.domain for header in Catalogue([tmp_path])]
    assert found == ["flowers", "birds", "clothes"]


def test_systems_of_a_domain_are_offered_as_the_registry_lists_them(tmp_path: Path) -> None:
    for system in sorted(SYSTEMS):
        write_checkpoint(tmp_path, system=system)
    assert [header.system for header in Catalogue([tmp_path])] == list(SYSTEMS)


@pytest.mark.parametrize(("system", "first"), [("tagan", 64), ("attngan", 128)])
def test_of_two_sizes_the_faster_edits_and_the_larger_draws(
    tmp_path: Path, system: str, first: int
) -> None:
    for side in (64, 128):
        write_checkpoint(tmp_path, system=system, image_size=side)
    assert next(iter(Catalogue([tmp_path]))).image_size == first


def test_the_first_choice_is_what_no_name_means(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, domain="clothes")
    assert Catalogue([tmp_path]).find(None, Task.MANIPULATE).domain == "clothes"


def test_of_two_with_one_id_that_of_the_earlier_folder_counts(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "one", steps=1)
    write_checkpoint(tmp_path / "other", steps=2)
    [header] = Catalogue([tmp_path / "one", tmp_path / "other"])
    assert header.steps == 1


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert len(Catalogue([tmp_path / "nowhere"])) == 0


def test_a_model_that_can_not_do_the_task_is_refused_with_those_that_can(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    catalogue = Catalogue([tmp_path])
    with pytest.raises(UnknownModel, match="generate"):
        catalogue.find("tagan-flowers-64", Task.GENERATE)
    with pytest.raises(UnknownModel) as caught:
        catalogue.find("nothing", Task.MANIPULATE)
    assert caught.value.known == ["tagan-flowers-64"]


def test_a_file_that_is_no_checkpoint_is_passed_over_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_checkpoint(tmp_path)
    (tmp_path / "bad.safetensors").write_bytes(b"nothing of the kind")
    assert len(Catalogue([tmp_path])) == 1
    assert "bad.safetensors" in caplog.text


def test_a_model_that_is_trained_meanwhile_is_offered_and_one_taken_away_is_not(
    tmp_path: Path,
) -> None:
    catalogue = Catalogue([tmp_path])
    write_checkpoint(tmp_path)
    assert [header.id for header in catalogue] == ["tagan-flowers-64"]
    for path in tmp_path.glob("*.safetensors"):
        path.unlink()
    assert len(catalogue) == 0


def test_a_model_is_offered_also_while_another_file_is_copied_over_its_own(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    catalogue = Catalogue([tmp_path])
    [path] = tmp_path.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    assert [header.id for header in catalogue] == ["tagan-flowers-64"]


@pytest.mark.parametrize(
    ("caption", "other"),
    [
        ("a red bird", "sisgan-birds-64"),
        ("red birds", "sisgan-birds-64"),
        ("a red belly", "sisgan-birds-64"),
        ("a red bird on a flower", None),
        ("red petals", None),
        ("red petalz", None),
    ],
)
def test_words_that_speak_to_a_model_of_another_domain_find_it(
    tmp_path: Path, caption: str, other: str | None
) -> None:
    for system in ("tagan", "sisgan", "attngan"):
        write_checkpoint(tmp_path, system=system, words=("flower", "red", "a", "petals"))
        write_checkpoint(tmp_path, system=system, domain="birds", words=("red", "a", "belly"))
    found = Catalogue([tmp_path]).other_model(caption, "sisgan-flowers-64")
    assert (found.id if found else None) == other
