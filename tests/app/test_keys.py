from pathlib import Path
from time import sleep

import pytest

from app.keys import BadLimit, Key, KeyFile, Scope, UnknownKey


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "kept" / "keys.json")


def test_a_key_is_found_by_its_text_and_nothing_that_is_nearly_it(keys: KeyFile) -> None:
    text = keys.create("Ada", [Scope.EDIT])
    other = keys.create("Bob", [Scope.READ])
    found = keys.find(text)
    assert found is not None
    assert (found.name, found.scopes) == ("Ada", (Scope.EDIT,))
    mixed = text[:12] + other[12:]  # the id of one, the secret of the other
    for wrong in (mixed, text[:-1], text + "a", text.upper(), "", "wb_", "é" * 60):
        assert keys.find(wrong) is None


def test_the_file_has_no_key_in_it_and_is_for_its_owner_alone(
    keys: KeyFile, tmp_path: Path
) -> None:
    text = keys.create("Ada", [Scope.EDIT])
    path = tmp_path / "kept" / "keys.json"
    assert text.split("_", 2)[2] not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_a_revoked_key_is_refused_by_those_that_had_read_the_file(
    keys: KeyFile, tmp_path: Path
) -> None:
    text = keys.create("Ada", [Scope.EDIT])
    elsewhere = KeyFile(tmp_path / "kept" / "keys.json")
    found = elsewhere.find(text)
    assert found is not None
    sleep(0.01)  # a file system's clock may be that coarse
    keys.revoke(found.id)
    assert elsewhere.find(text) is None
    with pytest.raises(UnknownKey):
        keys.revoke(found.id)


@pytest.mark.parametrize(
    ("held", "wanted", "is_enough"),
    [
        ((Scope.EDIT,), (Scope.EDIT,), True),
        ((Scope.EDIT, Scope.READ), (Scope.GENERATE, Scope.READ), True),
        ((Scope.READ,), (Scope.EDIT, Scope.GENERATE), False),
        ((Scope.ADMIN,), (Scope.METRICS,), True),
        ((), (Scope.READ,), False),
    ],
)
def test_a_key_is_good_for_its_scopes_and_an_admins_for_all(
    held: tuple[Scope, ...], wanted: tuple[Scope, ...], is_enough: bool
) -> None:
    key = Key("1", "Ada", "", held, "1/second", "")
    assert key.may(*wanted) is is_enough


@pytest.mark.parametrize(
    "text",
    [
        "", "many", "5", "0.5/second", "5/fortnight", "0/minute", "-5/minute",
        "10 per minute;1/second", "5 per 0 minute", "5/00 minute", "5 per 2 year",
    ],
)  # fmt: skip
def test_what_is_not_one_rate_that_lets_something_through_in_its_time_is_refused(
    keys: KeyFile, text: str
) -> None:
    with pytest.raises(BadLimit):
        keys.create("Ada", [Scope.EDIT], limit=text)
    assert list(keys) == []
