"""What an answer about the words of a caption holds."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, Field

from models.text.vocabulary import UnknownWord, tokenize


class Word(BaseModel):
    """A word that the model never saw, and what it would understand instead, best first."""

    word: str
    nearest: list[str]

    @classmethod
    def of(cls, unknown: UnknownWord) -> Self:
        return cls(word=unknown.word, nearest=list(unknown.nearest))


class CheckedWord(Word):
    """One word of a caption, in its place."""

    known: bool


class CaptionCheck(BaseModel):
    """What a model makes of a caption."""

    words: list[CheckedWord] = Field(description="All words, in order.")
    unknown_words: list[Word] = Field(description="Those the model never saw, each once.")
    other_model: str | None = Field(
        description="A model for the same tasks, of another domain, that the words speak to."
    )

    @classmethod
    def of(
        cls, caption: str, unknown_words: Sequence[UnknownWord], *, other_model: str | None
    ) -> Self:
        unknown = [Word.of(word) for word in unknown_words]
        nearest = {word.word: word.nearest for word in unknown}
        words = [
            CheckedWord(word=word, known=word not in nearest, nearest=nearest.get(word, []))
            for word in tokenize(caption)
        ]
        return cls(words=words, unknown_words=unknown, other_model=other_model)
