"""training/commands/settings.py: what `--set` may say, and what a run is held to."""

from pathlib import Path

import pytest

from training import attngan, gan_int_cls, stackgan_v2, tagan
from training.commands.settings import BadSetting, OtherRecipe, changed, keep


def test_settings_of_the_recipe_and_of_its_model_are_replaced() -> None:
    recipe = changed(
        stackgan_v2.SMALL, ["model.jcu=false", "lambda_colour=0", "sampling.shortened=0.1"]
    )
    assert (recipe.model.jcu, recipe.lambda_colour, recipe.sampling.shortened) == (False, 0, 0.1)
    assert recipe.model.branches == stackgan_v2.SMALL.model.branches
    assert recipe.sampling.colour_swaps == stackgan_v2.SMALL.sampling.colour_swaps


def test_values_take_the_type_of_their_setting() -> None:
    recipe = changed(
        tagan.SMALL,
        ["model.widths=[8, 16]", "model.upsample=nearest", "halve_every=600", "ema=1"],
    )
    assert recipe.model.widths == (8, 16)
    assert (recipe.model.upsample, recipe.halve_every) == ("nearest", 600)
    assert isinstance(recipe.ema, float)
    assert changed(recipe, ["halve_every=null"]).halve_every is None
    assert changed(attngan.SMALL, ["gammas=[4, 5, 10]"]).gammas.relevance == 5


def test_settings_that_need_each_other_are_replaced_together() -> None:
    recipe = changed(stackgan_v2.PAPER, ["model.image_size=8", "model.branches=1"])
    assert recipe.model.sides == (8,)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("lambda_int", "wanted NAME=VALUE"),
        ("lamda_int=0", "no setting lamda_int; there is: model, batch_size"),
        ("model.jcu=1", r"no setting model\.jcu; there is: .*model\.image_size"),
        ("batch_size=many", "batch_size=many: should be a valid integer"),
        ("batch_size=1.5", "batch_size=1.5: should be a valid integer"),
        ("model.dcgan=perhaps", "should be a valid boolean"),
        ("model.reader=letters", "should be 'char-gru', 'char-rnn' or 'words'"),
        ("model=small", "model has settings of its own"),
        ("beta.half=1", "beta is one value"),
        ("model.image_size=48", "power of two"),
    ],
)
def test_a_setting_that_there_is_not_or_that_does_not_fit_is_refused(
    setting: str, message: str
) -> None:
    with pytest.raises(BadSetting, match=message):
        changed(gan_int_cls.SMALL, [setting])


def test_a_run_goes_on_with_its_own_settings_only(tmp_path: Path) -> None:
    keep(gan_int_cls.SMALL, tmp_path)
    keep(gan_int_cls.SMALL, tmp_path)
    with pytest.raises(OtherRecipe, match=r"has lambda_int=1.0, not 0.0; wanted another --run"):
        keep(changed(gan_int_cls.SMALL, ["lambda_int=0"]), tmp_path)
