"""The pages' texts: a flat file for each language, `static/texts/<language>.json`, and the choice.

Templates and scripts say a text by its key. Scripts read the very same file, which a page carries
as a data block (static/js/texts.js). `{name}` in a text is a place that the caller fills.
"""

import json
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from markupsafe import Markup, escape

COOKIE = "wordbrush_language"
DEFAULT = "en"

_FOLDER = Path(__file__).resolve().parents[1] / "static" / "texts"
_PLACE = re.compile(r"\{(\w+)\}")
_RANGE = re.compile(r"\s*([A-Za-z0-9-]+)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")


class Texts:
    """The texts of one language."""

    def __init__(self, language: str, entries: Mapping[str, str]) -> None:
        self.language = language  # a BCP 47 tag in lower case
        self.entries = entries

    def __call__(self, key: str, /, **values: object) -> Markup:
        """The text as HTML; a value is escaped unless it is Markup. KeyError if there is none."""
        filled = _PLACE.sub(lambda found: escape(values[found[1]]), escape(self.entries[key]))
        return Markup(filled)


def read_texts() -> dict[str, Texts]:
    """Every language there is a file for, by its tag."""
    files = sorted(_FOLDER.glob("*.json"))
    return {file.stem: Texts(file.stem, json.loads(file.read_text("utf-8"))) for file in files}


def choose_language(offered: Container[str], *, chosen: str | None, accepted: str) -> str:
    """The language to answer in: the one a person chose, else what the browser likes best.

    `accepted` is an `Accept-Language` header, looked up as in RFC 4647, section 3.4: "ko-KR" is
    met by "ko". Where nothing fits, DEFAULT.
    """
    if chosen is not None and chosen in offered:
        return chosen
    for name in _by_liking(accepted):
        while name:
            if name in offered:
                return name
            name = name.rpartition("-")[0]
    return DEFAULT


def _by_liking(accepted: str) -> Iterator[str]:
    """The header's languages, the best liked first; what it refuses, or garbles, is left out."""
    found = [match for part in accepted.split(",") if (match := _RANGE.fullmatch(part))]
    liked = [(float(match[2] or 1), match[1].lower()) for match in found]
    for liking, name in sorted(liked, key=lambda one: -one[0]):
        if liking > 0:
            yield name
