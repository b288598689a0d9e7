"""What crosses between processes comes back as it went in, and old ones can still be read."""

import json
from dataclasses import replace

from models.registry import Task
from worker.messages import Crop, HeatmapFile, Metrics, OutputFile, Request, Result

OUTPUT = OutputFile(
    "results-1",
    "image/png",
    640,
    480,
    7,
    "results-2",
    stages=("results-3",),
    words=("a", "flower"),
    heatmaps=(HeatmapFile("results-4", (0.5, 0.25)),),
    scores=(0.5, 0.75),
    position=0.25,
)


def test_a_request_comes_back_as_it_went_in() -> None:
    request = Request(Task.MANIPULATE, "tagan-flowers-64", "red", crop=Crop(1, 2, 3, 4))
    assert Request.from_json(json.loads(json.dumps(request.to_json()))) == request


def test_a_result_comes_back_as_it_went_in() -> None:
    result = Result((OUTPUT,), Metrics(predict_s=0.5), "results-5")
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_a_result_from_before_there_were_words_can_be_read() -> None:
    before = {
        "outputs": [
            {
                "image": "results-1",
                "media_type": "image/png",
                "width": 640,
                "height": 480,
                "seed": 7,
                "network_image": "results-2",
                "stages": [],
                "heatmaps": [],
                "scores": [],
            }
        ],
        "metrics": {"queue_s": 0.0, "load_s": 0.0, "predict_s": 0.0, "batch_size": 1},
    }
    [output] = Result.from_json(before).outputs
    assert output == OutputFile("results-1", "image/png", 640, 480, 7, "results-2")


def test_variations_differ_in_their_seeds_and_steps_in_their_positions() -> None:
    request = Request(Task.MANIPULATE, "tagan-flowers-64", "red", seed=5, variations=2)
    assert request.draws == ((5, None), (6, None))
    steps = replace(request, variations=1, steps=3, caption_to="blue")
    assert steps.draws == ((5, 0), (5, 0.5), (5, 1))
    assert (request.pictures, steps.pictures) == (2, 3)


def test_a_request_from_before_there_were_interpolations_can_be_read() -> None:
    before = {
        "task": "manipulate",
        "model": "tagan-flowers-64",
        "caption": "red",
        "seed": 7,
        "variations": 1,
        "image_id": "uploads-1",
        "mask_id": None,
        "crop": None,
        "full_resolution": True,
        "format": None,
    }
    assert Request.from_json(before).draws == ((7, None),)
