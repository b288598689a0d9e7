"""The words a checkpoint knows. Free of torch: the web process checks captions with it.

Index 0 is padding, index 1 stands for a word that was never seen; words start at 2.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from colorsys import rgb_to_hsv
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import cached_property
from hashlib import sha256

from PIL import ImageColor

PAD = 0
UNKNOWN = 1
FIRST_WORD = 2

# What a system that reads characters reads; the hyphen stands twice, as in its authors' code.
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{} "

_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*", re.UNICODE)
_MAX_SUGGESTIONS = 3
_ALIKE = 0.7  # of SequenceMatcher's ratio


def tokenize(caption: str) -> list[str]:
    """Lower-case words in order, no punctuation: "A T-shirt, red." -> ["a", "t-shirt", "red"]."""
    return _WORD.findall(caption.lower())


def has_letter(text: str) -> bool:
    """Whether a system that reads characters finds a letter or a digit of its alphabet."""
    return any(c.isalnum() and c in ALPHABET for c in text.lower())


@dataclass(frozen=True)
class UnknownWord:
    """A word of a caption that the model never saw, with the nearest known ones, best first."""

    word: str
    nearest: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Known words in a fixed order; a checkpoint's embedding rows follow it.

    One without words is that of a system that reads characters, to which a word is unknown only
    if it has none of its alphabet.
    """

    words: tuple[str, ...]

    @classmethod
    def build(cls, captions: Iterable[str], min_count: int = 2) -> "Vocabulary":
        """Words that occur at least `min_count` times, most frequent first, ties by spelling."""
        counts = Counter(word for caption in captions for word in tokenize(caption))
        kept = [word for word, count in counts.items() if count >= min_count]
        return cls(tuple(sorted(kept, key=lambda word: (-counts[word], word))))

    def __len__(self) -> int:
        """Rows of an embedding table: the words, padding and the unknown word."""
        return len(self.words) + FIRST_WORD

    def __contains__(self, word: str) -> bool:
        return word in self._index

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words, start=FIRST_WORD)}

    @property
    def digest(self) -> str:
        """Hash that ties a checkpoint to its word order."""
        return sha256("\n".join(self.words).encode()).hexdigest()[:16]

    def encode(self, caption: str, max_words: int) -> list[int]:
        """Indices of the first `max_words` words; a word never seen becomes `UNKNOWN`."""
        return [self._index.get(word, UNKNOWN) for word in tokenize(caption)[:max_words]]

    def unknown_words(self, caption: str) -> list[UnknownWord]:
        """The words of `caption` that are not known, each once, with the nearest known ones."""
        words = dict.fromkeys(tokenize(caption))
        return [UnknownWord(w, self._nearest(w)) for w in words if not self._can_read(w)]

    def knows_any(self, caption: str) -> bool:
        """Whether there is a known word in `caption`."""
        return any(self._can_read(word) for word in tokenize(caption))

    def _can_read(self, word: str) -> bool:
        return word in self if self.words else has_letter(word)

    def _nearest(self, word: str) -> tuple[str, ...]:
        """Known words nearest in colour, if it is a colour's name, then nearest in spelling."""
        by_colour = self._nearest_colours(word)
        by_spelling = self._nearest_spellings(word)
        return tuple(dict.fromkeys([*by_colour, *by_spelling]))[:_MAX_SUGGESTIONS]

    def _nearest_spellings(self, word: str) -> Sequence[str]:
        """Of the words spelt about as much alike, the more frequent first: others are slips."""
        best = get_close_matches(word, self.words, n=1, cutoff=_ALIKE)
        if not best:
            return ()
        nearly = max(_ALIKE, SequenceMatcher(None, word, best[0]).ratio() - 0.1)
        found = get_close_matches(word, self.words, n=len(self.words), cutoff=nearly)
        return sorted(found, key=lambda known: self._index[known])

    def _nearest_colours(self, word: str) -> Sequence[str]:
        if word not in ImageColor.colormap:
            return ()
        target = _hsv(word)
        known = [name for name in ImageColor.colormap if name in self]
        alike = [name for name in known if _has_hue(_hsv(name)) == _has_hue(target)]
        return sorted(alike, key=lambda name: _distance(_hsv(name), target))[:2]


def _hsv(name: str) -> tuple[float, float, float]:
    """Hue, saturation and value in [0, 1] of a named colour."""
    red, green, blue = ImageColor.getrgb(name)[:3]
    return rgb_to_hsv(red / 255, green / 255, blue / 255)


def _has_hue(hsv: tuple[float, float, float]) -> bool:
    return hsv[1] > 0.2


def _distance(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    """How different two colours look: hue first, around the circle, then the rest."""
    turn = abs(a[0] - b[0])
    return 8 * min(turn, 1 - turn) + abs(a[1] - b[1]) + abs(a[2] - b[2])
