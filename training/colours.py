"""Which colour a real picture's own captions give it, and the same caption with another colour.

Captions of clothes are made from attributes and begin with the colour ("a navy t-shirt with ...").
Captions of flowers are written by several people and speak of petals, stamens, leaves and patterns
alike; what is said of the petals is kept. Captions of birds name the colours of many parts; the
belly is kept. About one label of the clothes in ten is off.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial

from models.text.vocabulary import tokenize

_OTHER = "another"  # so that "white and green petals" is not taken for white; no class of its own
_PETALS = {
    "red": "red crimson scarlet maroon reddish",
    "yellow": "yellow golden gold yellowish",
    "white": "white whitish",
    "purple": "purple violet lavender lilac purplish mauve",
    "pink": "pink magenta fuchsia fuschia pinkish",
    "orange": "orange orangish",
    "blue": "blue bluish periwinkle",
    _OTHER: "green brown black peach cream creamy tan burgundy greenish brownish grey gray",
}
_PETAL_WORDS = {word: colour for colour, words in _PETALS.items() for word in words.split()}
_PETAL_WORD = re.compile(rf"\b(?:{'|'.join(_PETAL_WORDS)})\b")

_BELLY = {
    "white": "white whitish",
    "yellow": "yellow golden yellowish",
    "red": "red crimson scarlet maroon reddish",
    "brown": "brown brownish tan rust chestnut",
    "grey": "grey gray greyish grayish",
    "black": "black blackish",
    "blue": "blue bluish",
    "orange": "orange orangish",
    "green": "green greenish olive",
    _OTHER: "purple violet pink teal beige cream",
}
_BELLY_WORDS = {word: colour for colour, words in _BELLY.items() for word in words.split()}
_BELLY_WORD = rf"\b({'|'.join(_BELLY_WORDS)})\b"
_BELLY_NOUN = r"\b(?:belly|breast|chest|abdomen|underbelly|underside|body)\b"
_BELLY_IS = r"(?:(?:that|which) )?(?:is|are)(?: (?:very|mostly|all|light|dark|bright|pale))*"
_BELLIES = (  # "a white spotted belly", "its belly is bright white", not "belly is white and grey"
    re.compile(rf"{_BELLY_WORD}(?:[ -]colou?red)?(?: (?:spotted|speckled|striped))? {_BELLY_NOUN}"),
    re.compile(
        rf"{_BELLY_NOUN} {_BELLY_IS} {_BELLY_WORD}(?! (?:and|with|or|{'|'.join(_BELLY_WORDS)})\b)"
    ),
)

# A part of a sentence ends here; "red and yellow petals" falls into "red" and "yellow petals".
_JOINTS = re.compile(
    r"\b((?:with|and|has|have|having|surround\w*|around|while|on|in the|but|along|by|near|where))\b"
)
_NOT_PETALS = re.compile(
    r"\b(?:stamens?|cent(?:er|re)s?|middles?|inside|pistils?|stigmas?|anthers?|sepals?|pedicels?"
    r"|stems?|stalks?|lea(?:f|ves)|pollen|filaments?|styles?|spot\w*|lines?|veins?|streak\w*|dots?"
    r"|strip\w*|edge\w*|tip\w*|shad\w*|base|bottoms?|ovary|disc|disk|cone|receptacles?|bud\w*"
    r"|markings?|patch\w*|fring\w*|accents?|specks?|speckles?|outline\w*|trim\w*|hint\w*|background"
    r"|tube\w*|tints?)\b"
)

BASIC_COLOURS = ("black", "white", "red", "grey", "navy", "blue", "pink", "green")
RARE_COLOURS = ("orange", "purple", "yellow")
GARMENTS = {
    **{colour: colour for colour in (*BASIC_COLOURS, *RARE_COLOURS)},
    "multicolored": "multicolored",
    "coffee brown": "brown",
    "dark brown": "brown",
    "brown": "brown",
    "camel": "brown",
    "beige": "beige",
    "apricot": "beige",
}
_GARMENT = re.compile(rf"(?<=^a )(?:{'|'.join(GARMENTS)})\b")


def garment_colour(captions: Sequence[str]) -> str | None:
    """The colour that a caption of clothes begins with; None where it is too rare to learn."""
    found = _GARMENT.search(captions[0])
    return GARMENTS[found[0]] if found else None


def recoloured_garment(captions: Sequence[str], colour: str) -> str | None:
    """The first caption with its colour exchanged; None where it begins with none."""
    changed, count = _GARMENT.subn(colour, captions[0])
    return changed if count else None


def petal_colours(caption: str) -> set[str]:
    """The colours that a caption gives to the petals, or to the whole flower."""
    parts = (part for part in _parts(caption) if not _NOT_PETALS.search(part))
    words = (word for part in parts for word in tokenize(part))
    return {_PETAL_WORDS[word] for word in words if word in _PETAL_WORDS}


def petal_colour(captions: Sequence[str]) -> str | None:
    """The colour that the captions agree on, or None.

    At least two captions, and at least two thirds of those that name any colour of petals, must
    name this one alone.
    """
    return _agreed([petal_colours(caption) for caption in captions])


def recoloured_petals(captions: Sequence[str], colour: str) -> str | None:
    """The first caption that gives the petals one colour, with that colour exchanged, or None.

    Colours of stamens, leaves and patterns stay.
    """
    for caption in captions:
        if len(petal_colours(caption)) == 1:
            return "".join(
                part if _NOT_PETALS.search(part) else _PETAL_WORD.sub(colour, part)
                for part in _parts(caption)
            )
    return None


def _parts(caption: str) -> list[str]:
    """The caption cut at its joints, which are kept: joined again, the parts are the caption."""
    return _JOINTS.split(caption.lower())


def belly_colours(caption: str) -> set[str]:
    """The colours that a caption gives to a bird's belly, breast or body."""
    lower = caption.lower()
    found = [match for pattern in _BELLIES for match in pattern.finditer(lower)]
    return {_OTHER if _is_shared(lower, match) else _BELLY_WORDS[match[1]] for match in found}


def belly_colour(captions: Sequence[str]) -> str | None:
    """The colour that the captions agree on, or None; they agree as on petals."""
    return _agreed([belly_colours(caption) for caption in captions])


def recoloured_belly(captions: Sequence[str], colour: str) -> str | None:
    """The first caption that gives the belly one colour, with that colour exchanged, or None."""
    for caption in captions:
        if len(named := belly_colours(caption)) == 1 and _OTHER not in named:
            changed = caption.lower()
            for pattern in _BELLIES:
                changed = pattern.sub(partial(_exchanged, colour), changed)
            return changed
    return None


def _is_shared(caption: str, match: re.Match[str]) -> bool:
    """Whether another colour stands before the one found: "black and white belly"."""
    before = tokenize(caption[: match.start(1)])[-2:]
    return any(word in _BELLY_WORDS for word in before)


def _exchanged(colour: str, match: re.Match[str]) -> str:
    start, end = (place - match.start() for place in match.span(1))
    return match[0][:start] + colour + match[0][end:]


def _agreed(named: Sequence[set[str]]) -> str | None:
    """What two captions, and two thirds of those that name anything, name alone."""
    named = [found for found in named if found]
    votes = Counter(next(iter(found)) for found in named if len(found) == 1)
    if not votes:
        return None
    colour, count = votes.most_common(1)[0]
    agreed = count >= 2 and count * 3 >= len(named) * 2
    return colour if agreed and colour != _OTHER else None
