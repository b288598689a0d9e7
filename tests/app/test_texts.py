import pytest
from markupsafe import Markup

from app.texts import Texts, choose_language, read_texts

OFFERED = ("en", "ko", "pt-br")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("de-DE, de;q=0.9, ko;q=0.5, en;q=0.4", "ko"),
        ("en;q=0.3, ko;q=0.7", "ko"),
        ("KO-kore-KR", "ko"),
        ("pt-BR", "pt-br"),
        ("pt, ko;q=0.1", "ko"),
        ("ko;q=0, de", "en"),
        ("*", "en"),
        ("", "en"),
        ("ko;q=2, ;;, \x00, en", "en"),
    ],
)
def test_the_browsers_best_liked_language_that_there_is_is_spoken(
    accepted: str, language: str
) -> None:
    assert choose_language(OFFERED, chosen=None, accepted=accepted) == language


def test_what_a_person_chose_counts_before_what_the_browser_likes() -> None:
    assert choose_language(OFFERED, chosen="ko", accepted="en") == "ko"


def test_a_choice_that_there_is_not_is_none() -> None:
    assert choose_language(OFFERED, chosen="../en", accepted="ko") == "ko"


def test_texts_and_what_fills_them_are_escaped_unless_they_are_markup() -> None:
    say = Texts("en", {"a": "1 < {number}, {sign}"})
    assert say("a", number="<b>", sign=Markup("<i>")) == "1 &lt; &lt;b&gt;, <i>"


def test_a_text_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        read_texts()["en"]("no.such")
