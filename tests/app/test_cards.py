from app.cards import Block, Span, read_card, spans
from app.routes.pages import STATIC

_CARD = """# tagan-flowers-64

Two lines that are
one paragraph, with `code`, **weight** and [a place](https://example.org/x?y=1).

- an item
  that goes on
- another

| asked for | judged |
|---|---:|
| red | 94.8% |
| blue | `61.2%` |

```
wordbrush up  # as it is
```

![the sheet](sheet.webp)
"""


def text(*words: str) -> tuple[Span, ...]:
    return tuple(Span("text", word) for word in words)


def test_a_card_is_read_part_by_part() -> None:
    heading, paragraph, items, table, code = read_card(_CARD)
    assert heading == Block("heading", text("tagan-flowers-64"), level=1)
    assert [span.kind for span in paragraph.spans] == [
        "text",
        "code",
        "text",
        "strong",
        "text",
        "link",
        "text",
    ]
    assert paragraph.spans[5] == Span("link", "a place", "https://example.org/x?y=1")
    assert items.rows == ((text("an item that goes on"),), (text("another"),))
    assert table.rows[0] == (text("asked for"), text("judged"))
    assert table.rows[2][1] == (Span("code", "61.2%"),)
    assert code.spans[0].text == "wordbrush up  # as it is"


def test_what_is_not_of_the_subset_stays_text() -> None:
    for hostile in (
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,y)",
        '<img src=x onerror="y">',
    ):
        (block,) = read_card(hostile)
        assert block == Block("paragraph", text(hostile))


def test_a_card_cut_short_is_read_as_far_as_it_goes() -> None:
    assert read_card("") == []
    assert read_card("```\nopen")[0].spans[0].text == "open"
    assert read_card("| a | b |")[0].kind == "paragraph"
    assert spans("`open and **open") == text("`open and **open")


def test_the_cards_that_are_shipped_are_understood_whole() -> None:
    cards = sorted((STATIC.parent / "checkpoints").glob("*.md"))
    assert cards
    for card in cards:
        blocks = read_card(card.read_text(encoding="utf-8"))
        assert blocks[0].kind == "heading"
        left = [s.text for b in blocks for s in b.spans if s.kind == "text"]
        assert not [t for t in left if t.lstrip().startswith(("|", "- ", "#", "```"))]
