"""Which colour a real picture's own captions give it, and the same caption with another colour.

Captions of clothes are made from attributes and begin with the colour ("a navy t-shirt with ...").
Captions of flowers are written by several people and speak of petals, stamens, leaves and patterns
alike; what is said of the petals is kept. About one label of the clothes in ten is off.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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

_BASIC = ("black", "white", "red", "grey", "navy", "blue", "pink", "green")
_RARE = ("orange", "purple", "yellow")
_GARMENTS = {
    **{colour: colour for colour in (*_BASIC, *_RARE)},
    "multicolored": "multicolored",
    "coffee brown": "brown",
    "dark brown": "brown",
    "brown": "brown",
    "camel": "brown",
    "beige": "beige",
    "apricot": "beige",
}
_GARMENT = re.compile(rf"(?<=^a )(?:{'|'.join(_GARMENTS)})\b")


def garment_colour(captions: Sequence[str]) -> str | None:
    """The colour that a caption of clothes begins with; None where it is too rare to learn."""
    found = _GARMENT.search(captions[0])
    return _GARMENTS[found[0]] if found else None


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
    named = [found for caption in captions if (found := petal_colours(caption))]
    votes = Counter(next(iter(found)) for found in named if len(found) == 1)
    if not votes:
        return None
    colour, count = votes.most_common(1)[0]
    agreed = count >= 2 and count * 3 >= len(named) * 2
    return colour if agreed and colour != _OTHER else None


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


@dataclass(frozen=True)
class Palette:
    """The colours of one domain, and how its captions speak of them."""

    asked: tuple[str, ...]  # the colours of the bar
    also_asked: tuple[str, ...]  # reported beside it
    judged: tuple[str, ...]  # all that the judge tells apart
    template: str  # a caption that says nothing but the colour
    own: Callable[[Sequence[str]], str | None]  # the colour that a picture's captions give it
    recoloured: Callable[[Sequence[str], str], str | None]  # its own caption in another colour
    on_white: bool  # pictures have a white ground


# Clothes: the eight most frequent colours, each with over 160 real test pictures to check the
# judge on; of the other three there are about 50. Flowers: all that have a few hundred pictures.
PALETTES: Mapping[str, Palette] = {
    "clothes": Palette(
        asked=_BASIC,
        also_asked=_RARE,
        judged=tuple(dict.fromkeys(_GARMENTS.values())),
        template="a {colour} t-shirt",
        own=garment_colour,
        recoloured=recoloured_garment,
        on_white=True,
    ),
    "flowers": Palette(
        asked=("red", "yellow", "white", "purple", "pink", "orange"),
        also_asked=("blue",),
        judged=("red", "yellow", "white", "purple", "pink", "orange", "blue"),
        template="this flower has {colour} petals",
        own=petal_colour,
        recoloured=recoloured_petals,
        on_white=False,
    ),
}


class NoPalette(LookupError):
    """There are no colours to judge in this domain."""


def find_palette(domain: str) -> Palette:
    """The colours of `domain`.

    Raises:
        NoPalette: its captions' colours have no rule; the message lists the domains that have.
    """
    if domain not in PALETTES:
        raise NoPalette(f"no colours are known of {domain!r}; of these: {', '.join(PALETTES)}")
    return PALETTES[domain]
