"""A run's settings: a recipe's, some replaced by `--set NAME=VALUE`, kept beside the run."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

R = TypeVar("R")
Tree = dict[str, Any]  # of texts, or of trees where a setting has settings of its own


class BadSetting(ValueError):
    """No such setting, or a value that it can't have."""


class OtherRecipe(ValueError):
    """A run can't go on with other settings than it was started with."""


def changed(recipe: R, assignments: Iterable[str]) -> R:
    """`recipe` after each NAME=VALUE; "model.jcu=false" is a setting of its model.

    Values are JSON or plain text, and must fit the field's type.

    Raises:
        BadSetting: the name is unknown, the value does not fit, or the settings not each other.
    """
    tree: Tree = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise BadSetting(f"{assignment!r}: wanted NAME=VALUE")
        *outer, last = name.strip().split(".")
        place = tree
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise BadSetting(f"{part} is set as a whole and in part; wanted one of both")
        place[last] = value.strip()
    return _replaced(recipe, tree, "")


def keep(recipe: Any, folder: Path) -> None:
    """Write a recipe into its run's folder, as `recipe.json`.

    Raises:
        OtherRecipe: the run there was started with other settings.
    """
    path, settings = folder / "recipe.json", json.loads(json.dumps(asdict(recipe)))
    if path.exists():
        before = _flat(json.loads(path.read_text()))
        new = {name: value for name, value in _flat(settings).items() if name in before}
        if other := [f"{k}={before[k]}, not {v}" for k, v in new.items() if before[k] != v]:
            raise OtherRecipe(f"the run in {folder} has {'; '.join(other)}; wanted another --run")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2))


def _replaced(record: Any, tree: Mapping[str, Any], prefix: str) -> Any:
    """A dataclass with the fields of `tree` replaced all at once, so that they may need each other.

    `prefix` is its own name, such as "model.", for messages.
    """
    hints, names = get_type_hints(type(record)), [field.name for field in fields(record)]
    values = {}
    for name, wanted in tree.items():
        if name not in names:
            known = ", ".join(prefix + known for known in names)
            raise BadSetting(f"there is no setting {prefix + name}; there is: {known}")
        old, whole = getattr(record, name), f"{prefix}{name}"
        if is_dataclass(old) != isinstance(wanted, dict):
            has = "has settings of its own" if is_dataclass(old) else "is one value"
            raise BadSetting(f"{whole} {has}")
        inner = isinstance(wanted, dict)
        values[name] = (
            _replaced(old, wanted, f"{whole}.") if inner else _parsed(wanted, hints[name], whole)
        )
    try:
        return replace(record, **values)
    except ValueError as error:  # of its own checks
        raise BadSetting(str(error)) from error


def _parsed(text: str, kind: Any, name: str) -> Any:
    """`text` as a value of this type."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Input ")
        raise BadSetting(f"{name}={text}: {reason}") from error


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"model": {"jcu": true}} -> {"model.jcu": true}"""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        inner = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{name}.") if inner else {prefix + name: value}
    return flat
