"""What can be asked of a picture and judged: colours, and the sleeves of clothes.

An attribute knows how captions speak of it (training/colours.py has the rules of colours), and a
judge of it (training/judge.py) sees it in pictures.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from training import colours

_SLEEVES = re.compile(r"\b(long|short|no|cap|three quarter|half)(?= sleeves\b)")
_CLEAR_SLEEVES = ("long", "short", "no")  # the others lie between these and are rare


@dataclass(frozen=True)
class Attribute:
    """One thing that captions of one domain say, and its values."""

    name: str
    asked: tuple[str, ...]  # the values of the bar
    also_asked: tuple[str, ...]  # reported beside it
    judged: tuple[str, ...]  # all that the judge tells apart
    template: str  # a caption that says nothing but the value
    own: Callable[[Sequence[str]], str | None]  # what a picture's captions agree on
    said: Callable[[str], str | None]  # the one value that a caption asks for
    exchanged: Callable[[Sequence[str], str], str | None]  # its own caption with another value
    keeps_outline: bool = True  # so that nothing outside the object should change

    def caption(self, value: str) -> str:
        return self.template.format(value=value)


def _alone(named: Callable[[str], set[str]], judged: Sequence[str]) -> Callable[[str], str | None]:
    """`named`, where it finds one value that is judged, and no other."""

    def said(caption: str) -> str | None:
        found = named(caption)
        return next(iter(found)) if len(found) == 1 and found <= set(judged) else None

    return said


def sleeves(captions: Sequence[str]) -> str | None:
    """The sleeves that a caption of clothes ends with; None where they lie between."""
    found = _SLEEVES.search(captions[0])
    return found[0] if found and found[0] in _CLEAR_SLEEVES else None


def resleeved(captions: Sequence[str], value: str) -> str | None:
    """The first caption with its sleeves exchanged; None where it names none."""
    changed, count = _SLEEVES.subn(value, captions[0])
    return changed if count else None


# Clothes: the eight most frequent colours, each with over 160 real test pictures to check the
# judge on; of the other three there are about 50. Flowers: all that have a few hundred pictures.
# Birds: the colour of the belly, which most captions name; the other four have 8 to 17 of them.
_PETALS = ("red", "yellow", "white", "purple", "pink", "orange")
_BELLIES = ("white", "yellow", "brown", "grey")
_RARE_BELLIES = ("red", "black", "blue", "orange", "green")
_OF_DOMAIN: Mapping[str, tuple[Attribute, ...]] = {
    "clothes": (
        Attribute(
            name="colour",
            asked=colours.BASIC_COLOURS,
            also_asked=colours.RARE_COLOURS,
            judged=tuple(dict.fromkeys(colours.GARMENTS.values())),
            template="a {value} t-shirt",
            own=colours.garment_colour,
            said=lambda caption: colours.garment_colour([caption]),
            exchanged=colours.recoloured_garment,
        ),
        Attribute(
            name="sleeves",
            asked=("short", "long", "no"),
            also_asked=(),
            judged=_CLEAR_SLEEVES,
            template="a t-shirt with {value} sleeves",
            own=sleeves,
            said=lambda caption: sleeves([caption]),
            exchanged=resleeved,
            keeps_outline=False,
        ),
    ),
    "flowers": (
        Attribute(
            name="colour",
            asked=_PETALS,
            also_asked=("blue",),
            judged=(*_PETALS, "blue"),
            template="this flower has {value} petals",
            own=colours.petal_colour,
            said=_alone(colours.petal_colours, (*_PETALS, "blue")),
            exchanged=colours.recoloured_petals,
        ),
    ),
    "birds": (
        Attribute(
            name="colour",
            asked=_BELLIES,
            also_asked=_RARE_BELLIES,
            judged=(*_BELLIES, *_RARE_BELLIES),
            template="this bird has a {value} belly",
            own=colours.belly_colour,
            said=_alone(colours.belly_colours, (*_BELLIES, *_RARE_BELLIES)),
            exchanged=colours.recoloured_belly,
        ),
    ),
}
ON_WHITE = frozenset({"clothes"})  # domains whose pictures have a white ground


class NoAttribute(LookupError):
    """Nothing of this kind is known of the domain's captions."""


def attributes_of(domain: str) -> tuple[Attribute, ...]:
    """What can be judged in `domain`; nothing, where its captions have no rules."""
    return _OF_DOMAIN.get(domain, ())


def find_attribute(domain: str, name: str) -> Attribute:
    """The attribute called `name` of `domain`.

    Raises:
        NoAttribute: there is none; the message lists those there are.
    """
    known = {(d, a.name): a for d, attributes in _OF_DOMAIN.items() for a in attributes}
    if (domain, name) not in known:
        wanted = ", ".join(f"{n} of {d}" for d, n in known)
        raise NoAttribute(f"no rules for the {name} of {domain}; there are: {wanted}")
    return known[domain, name]
