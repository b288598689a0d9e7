"""The catalogue of texts fits the templates and scripts that speak by it."""

import json
import re
from pathlib import Path

import pytest
from rfc9457 import StatusProblem

from app.errors import PROBLEMS

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(ROOT.glob("static/texts/*.json"))
SPEAKERS = sorted([*ROOT.glob("templates/*.html"), *ROOT.glob("static/js/*.js")])
PLURAL = re.compile(r"\.(zero|one|two|few|many|other)$")
_KEY = re.compile(r"""\b(?:t|has)\(\s*(["'`])(.+?)\1(?: ~ \S+ ~ "(.+?)"|( ~ ))?""")
_MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<(code|kbd|pre)\b.*?</\1>", re.S)
_TAG = re.compile(r"<[^>]*>")
_SAID_BY_TAGS = re.compile(
    r'\b(?:aria-label|title|placeholder|alt|content|aria-roledescription)="([^"]*[A-Za-z][^"]*)"'
)
_SAME_EVERYWHERE = {
    "Wordbrush",
    "width=device-width, initial-scale=1",
    "light dark",
    "px",
    "https://…",
}


def entries(file: Path) -> dict[str, str]:
    texts: dict[str, str] = json.loads(file.read_text("utf-8"))
    return texts


def stems(file: Path) -> set[str]:
    """The keys as callers say them: without the form of a plural."""
    return {PLURAL.sub("", key) for key in entries(file)}


def spoken() -> set[str]:
    """The keys that templates and scripts say, as patterns: `a.${b}`, "a." ~ b for any `a.x`."""
    found: set[str] = set()
    for file in SPEAKERS:
        for _, key, end, is_open in _KEY.findall(file.read_text("utf-8")):
            whole = f"{key}${{}}{end}" if end or is_open else key
            found.add(re.sub(r"\\\$\\\{.*?\\\}", r"[\\w-]+", re.escape(whole)))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_key_that_is_said_has_a_text(file: Path) -> None:
    keys = stems(file)
    missing = [said for said in spoken() if not any(re.fullmatch(said, key) for key in keys)]
    assert missing == []


def test_every_text_is_said_somewhere() -> None:
    said = re.compile("|".join(spoken()))
    by_name = {"language.name"}  # of the other languages, which no template can name
    assert [key for key in stems(FILES[0]) - by_name if not said.fullmatch(key)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_all_languages_have_the_same_keys_with_the_same_places(file: Path) -> None:
    assert places(file) == places(ROOT / "static/texts/en.json")


def places(file: Path) -> dict[str, set[str]]:
    """What callers have to fill, by key; of a plural, `count` may be in words in one form."""
    found: dict[str, set[str]] = {}
    for key, text in entries(file).items():
        stem = PLURAL.sub("", key)
        counts = {"count"} if PLURAL.search(key) else set()
        found[stem] = found.get(stem, counts) | set(re.findall(r"\{(\w+)\}", text))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_flat_sorted_and_has_no_empty_text(file: Path) -> None:
    texts = entries(file)
    assert list(texts) == sorted(texts)
    assert all(isinstance(text, str) and text.strip() == text != "" for text in texts.values())


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.type_)
def test_each_problem_of_the_api_has_texts(problem: type[StatusProblem]) -> None:
    texts = entries(FILES[0])
    assert texts[f"problem.{problem.type_}.title"] == problem.title
    assert {f"problem.{problem.type_}.{part}" for part in ("detail", "advice")} <= set(texts)


def test_each_failure_of_a_worker_has_texts() -> None:
    """By its title, as `ofJob` in problems.js makes a key of it."""
    sources = [*ROOT.glob("worker/*.py"), ROOT / "app/batch_rows.py"]
    code = "\n".join(file.read_text("utf-8") for file in sources)
    titles = re.findall(r'(?:Failure\(\s*|^        \w+: |UNREADABLE = )"([A-Z][^"]+)"', code, re.M)
    assert len(titles) > 10
    texts = entries(FILES[0])
    for title in titles:
        key = re.sub("[^a-z]+", "-", title.lower())
        assert texts[f"failure.{key}.title"] == title


@pytest.mark.parametrize("file", sorted(ROOT.glob("templates/*.html")), ids=lambda file: file.stem)
def test_a_template_says_nothing_but_by_keys(file: Path) -> None:
    page = _MARKUP.sub("", re.sub(r'placeholder="[^"]*" lang="en"', "", file.read_text("utf-8")))
    said = [*_SAID_BY_TAGS.findall(page), *_TAG.sub("\n", page).splitlines()]
    texts = {text.strip(" ·\n") for text in said if re.search("[A-Za-z]", text)}
    assert texts <= _SAME_EVERYWHERE


@pytest.mark.parametrize("file", sorted(ROOT.glob("static/js/*.js")), ids=lambda file: file.stem)
def test_a_script_says_nothing_but_by_keys(file: Path) -> None:
    code = re.sub(r"/\*\*.*?\*/|//[^\n]*|Error\([^\n]*", "", file.read_text("utf-8"), flags=re.S)
    assert re.findall(r'(?:"|`)[A-Z][a-z]+ [a-z$][^"`\n]*', code) == []
