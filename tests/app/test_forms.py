import pytest
from pydantic import TypeAdapter, ValidationError

from app.forms import Caption, CropText
from worker.messages import Crop


def test_a_crop_is_four_numbers_with_or_without_spaces() -> None:
    read = TypeAdapter(CropText).validate_python
    assert read("1,2,30,40") == read("1, 2, 30, 40") == Crop(1, 2, 30, 40)


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "1.5,0,9,9", "-1,0,9,9", "1,2,3,9999999"]
)
def test_what_is_no_crop_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="wanted left,top,width,height"):
        TypeAdapter(CropText).validate_python(text)


def test_a_caption_keeps_its_spelling() -> None:
    assert TypeAdapter(Caption).validate_python("Red, PLEASE!") == "Red, PLEASE!"


@pytest.mark.parametrize("text", ["", "...", "🌷", "x" * 301])
def test_a_caption_without_words_or_with_too_many_characters_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Caption).validate_python(text)
