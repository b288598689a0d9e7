"""training/tagan_scores.py: each word gets a score, and the generator stays as it is."""

from dataclasses import asdict, replace
from pathlib import Path

import torch

from models.checkpoint import Header, read_header
from models.tagan import TINY, Tagan
from models.weights import load
from tests.training.toys import WORDS, toy_pictures
from training.loop import RunSettings, run
from training.tagan_scores import SMALL, TaganScoresTrainer

CFG = replace(TINY, scores=False, disc_widths=(8, 12, 16))
RECIPE = replace(SMALL, batch_size=8, learning_rate=3e-3)


def test_a_word_that_fits_a_picture_comes_to_score_above_one_that_does_not(toys: Path) -> None:
    trainer = _trainer(toys, _trained(), total=1000)
    for step in range(100):
        trainer.train_step(step)
    net = trainer.average.copy
    assert isinstance(net, Tagan)
    red = torch.tensor([220, 20, 20]).div(127.5).sub(1)[None, :, None, None].expand(2, 3, 16, 16)
    with torch.inference_mode():
        text = net.encode_text(["a red thing", "a blue thing"])
        fits, does_not = trainer.judge.eval()(red, text.judged).scores[:, 1]
    assert fits > does_not + 0.2


def test_the_generator_and_its_words_stay_as_they_were(toys: Path) -> None:
    trained = _trained()
    trainer = _trainer(toys, trained)
    trainer.train_step(0)
    for net in (trainer.net, trainer.average.copy):
        for key, value in trained.state_dict().items():
            assert torch.equal(net.state_dict()[key], value), key


def test_a_resumed_run_ends_where_an_unbroken_one_does(toys: Path, tmp_path: Path) -> None:
    trained = _trained()
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(_trainer(toys, trained), RunSettings(whole, steps=4))
    run(_trainer(toys, trained), RunSettings(broken, steps=2))
    path = run(_trainer(toys, trained), RunSettings(broken, steps=4))
    assert path is not None
    assert (broken / "sheets" / "0000004.png").exists()
    expected = load(whole / path.name).state_dict()
    for key, value in load(path).state_dict().items():
        assert torch.equal(value, expected[key]), key


def test_the_export_is_the_generators_checkpoint_with_scores(toys: Path, tmp_path: Path) -> None:
    path = run(_trainer(toys, _trained()), RunSettings(tmp_path / "run", steps=4))
    assert path is not None
    header = read_header(path)
    assert (header.id, header.steps, header.pictures) == ("tagan-toys-16", 900, 5400)
    assert header.metrics["colour_edits"] == 0.5
    assert 0 <= header.metrics["captions_told_apart"] <= 1
    assert header.config["scores"]


def _trained() -> Tagan:
    torch.manual_seed(1)
    return Tagan(CFG, WORDS).eval()


def _trainer(toys: Path, trained: Tagan, total: int = 4) -> TaganScoresTrainer:
    header = Header(
        "tagan",
        "toys",
        16,
        asdict(CFG),
        WORDS.words,
        steps=900,
        pictures=5400,
        metrics={"colour_edits": 0.5},
        examples=("a red thing",),
    )
    pictures = toy_pictures(toys, 16)
    return TaganScoresTrainer(RECIPE, pictures, pictures, header, trained=trained, steps=total)
