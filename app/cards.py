"""A checkpoint's card as parts for a template: the plain subset of Markdown that our cards use.

Nothing in a card is markup: what is not of the subset stays text, and templates escape it. The
subset: headings, paragraphs, lists, tables, blocks of code; in them `code`, **strong** and
[links](https://...). Pictures are left out, since the page shows a card's sheet itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\[(?P<text>[^\]]+)\]\((?P<href>https?://[^\s)]+)\)"
)
_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)\s*")
_HEADING = re.compile(r"(#{1,4})\s+(.+)")
_ITEM = re.compile(r"[-*]\s+(.+)")
_RULE = re.compile(r"\|?[\s:|-]+\|?")


@dataclass(frozen=True)
class Span:
    """Some text of one kind."""

    kind: Literal["text", "code", "strong", "link"]
    text: str
    href: str = ""  # of a link; http or https


Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Block:
    """One part of a card. `rows` has a table's rows, the first its head, or a list's items."""

    kind: Literal["heading", "paragraph", "list", "table", "code"]
    spans: Spans = ()
    rows: tuple[tuple[Spans, ...], ...] = ()
    level: int = 0  # of a heading, from 1


def read_card(markdown: str) -> list[Block]:
    """The parts of a card in their order."""
    return [_block(lines) for lines in _paragraphs(markdown)]


def spans(text: str) -> Spans:
    """A line's text, cut where its kind changes."""
    return tuple(_spans(text))


def _paragraphs(markdown: str) -> Iterator[list[str]]:
    """Lines that belong together: between empty ones, a fenced block whole, a heading alone."""
    lines: list[str] = []
    is_code = False
    for line in _PICTURE.sub("", markdown).splitlines():
        fence = line.startswith("```")
        ends = not is_code and (not line.strip() or fence or _HEADING.fullmatch(line.strip()))
        if ends and lines:
            yield lines
            lines = []
        if is_code or line.strip():
            lines.append(line)
        if (is_code and fence) or (not is_code and _HEADING.fullmatch(line.strip())):
            yield lines
            lines = []
        is_code = is_code != fence
    if lines:
        yield lines


def _block(lines: list[str]) -> Block:
    first = lines[0].strip()
    if first.startswith("```"):
        code = [line for line in lines if not line.startswith("```")]
        return Block("code", (Span("code", "\n".join(code)),))
    if heading := _HEADING.fullmatch(first):
        return Block("heading", spans(heading[2]), level=len(heading[1]))
    if len(lines) > 1 and first.startswith("|") and _RULE.fullmatch(lines[1].strip()):
        return Block("table", rows=tuple(map(_row, [lines[0], *lines[2:]])))
    if _ITEM.fullmatch(first):
        return Block("list", rows=tuple((spans(item),) for item in _items(lines)))
    return Block("paragraph", spans(" ".join(line.strip() for line in lines)))


def _row(line: str) -> tuple[Spans, ...]:
    return tuple(spans(cell.strip()) for cell in line.strip().strip("|").split("|"))


def _items(lines: list[str]) -> Iterator[str]:
    """Each item, with the lines that go on with it."""
    item: list[str] = []
    for line in lines:
        if begins := _ITEM.fullmatch(line.strip()):
            if item:
                yield " ".join(item)
            item = [begins[1]]
        else:
            item.append(line.strip())
    yield " ".join(item)


def _spans(text: str) -> Iterator[Span]:
    end = 0
    for found in _INLINE.finditer(text):
        if found.start() > end:
            yield Span("text", text[end : found.start()])
        if found["href"]:
            yield Span("link", found["text"], found["href"])
        else:
            kind: Literal["code", "strong"] = "code" if found["code"] else "strong"
            yield Span(kind, found[kind])
        end = found.end()
    if end < len(text):
        yield Span("text", text[end:])
