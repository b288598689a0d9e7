"""The ablations train, measure and tabulate, and what is done is not done again."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from models import gan_int_cls as network
from tests.training.painted import write_squares
from training import ablations, gan_int_cls
from training.ablations import Budget, Row, measured, table
from training.commands.settings import changed


@pytest.fixture
def budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Budget:
    monkeypatch.chdir(tmp_path)
    tiny = replace(gan_int_cls.SMALL, model=network.TINY, batch_size=2)
    monkeypatch.setitem(gan_int_cls.RECIPES, "small", tiny)
    data = write_squares(tmp_path / "toys", "a {colour} thing", train=8, test=4)
    return Budget(data, None, steps=1, pictures=4, seed=0)


def test_a_row_is_trained_with_its_settings_and_measured_once(
    budget: Budget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Row("gan-int-cls", "GAN-INT", ("lambda_int=0",))
    found = measured(row, budget, tmp_path / "runs")
    folder = tmp_path / "runs" / "gan-int-cls-GAN-INT"
    assert '"lambda_int": 0' in (folder / "recipe.json").read_text()
    (line,) = table([(row, found)])[2:]
    assert line.startswith("| gan-int-cls | GAN-INT | ")

    monkeypatch.setattr(ablations, "_command", lambda *arguments: pytest.fail("done again"))
    assert measured(row, budget, tmp_path / "runs") == found


@pytest.mark.parametrize("row", ablations.ROWS, ids=lambda row: row.folder)
def test_every_setting_is_one_that_the_recipe_has(row: Row) -> None:
    trainer = import_module(f"training.{row.command.replace('-', '_')}")
    recipe = trainer.RECIPES["small"]
    assert (changed(recipe, row.settings) == recipe) == (not row.without)
