"""models/text/vocabulary.py"""

from hypothesis import given
from hypothesis import strategies as st

from models.text.vocabulary import FIRST_WORD, UNKNOWN, Vocabulary, tokenize

WORDS = Vocabulary(
    tuple(tokenize("a this flower has petals red blue yellow white purple pink green t-shirt"))
)


def test_words_are_lower_case_and_without_punctuation() -> None:
    assert tokenize("A T-shirt, RED; don't!") == ["a", "t-shirt", "red", "don't"]


def test_more_frequent_words_come_first_and_rare_ones_are_left_out() -> None:
    words = Vocabulary.build(["a red flower", "a blue flower", "a red leaf"]).words
    assert words == ("a", "flower", "red")


def test_an_unknown_word_keeps_its_place() -> None:
    assert WORDS.encode("a crimson flower", max_words=9) == [FIRST_WORD, UNKNOWN, FIRST_WORD + 2]


def test_words_over_the_limit_are_not_read() -> None:
    assert len(WORDS.encode("a a a a", max_words=3)) == 3


def test_a_misspelt_word_is_told_with_the_right_one() -> None:
    (unknown,) = WORDS.unknown_words("this flowr has red petals")
    assert (unknown.word, unknown.nearest) == ("flowr", ("flower",))


def test_of_words_spelt_much_alike_the_frequent_one_is_told_first() -> None:
    words = Vocabulary(("flower", "with", "white", "flowers", "flowwer"))
    nearest = {w.word: w.nearest for w in words.unknown_words("flowerzz wite")}
    assert nearest == {"flowerzz": ("flower", "flowers", "flowwer"), "wite": ("white",)}


def test_a_colour_never_seen_is_told_with_the_nearest_colours() -> None:
    nearest = {w.word: w.nearest[0] for w in WORDS.unknown_words("crimson navy violet gold teal")}
    assert nearest == {
        "crimson": "red",
        "navy": "blue",
        "violet": "purple",
        "gold": "yellow",
        "teal": "green",
    }


def test_each_unknown_word_is_told_once() -> None:
    assert [w.word for w in WORDS.unknown_words("zzz zzz red")] == ["zzz"]


def test_to_a_system_that_reads_characters_only_words_of_other_letters_are_unknown() -> None:
    flower = "\u0446\u0432\u0435\u0442\u043e\u043a"
    unknown = Vocabulary(()).unknown_words(f"flowr zzz caf\u00e9 7 {flower}")
    assert [(word.word, word.nearest) for word in unknown] == [(flower, ())]


def test_one_known_word_is_enough_for_a_caption_to_be_known_of() -> None:
    words = Vocabulary(("red", "petals"))
    assert words.knows_any("Shiny RED leaves")
    assert not words.knows_any("shiny leaves")
    assert not words.knows_any("!?")
    letters = Vocabulary(())
    assert letters.knows_any("été x")
    assert not letters.knows_any("빨간 꽃")


def test_other_words_or_another_order_give_another_digest() -> None:
    assert len({Vocabulary(w).digest for w in [("a", "b"), ("b", "a"), ("ab",)]}) == 3


@given(st.text())
def test_any_text_is_encoded_or_has_no_word(text: str) -> None:
    assert len(WORDS.encode(text, max_words=10**6)) == len(tokenize(text))
    assert all(w.word not in WORDS for w in WORDS.unknown_words(text))
