"""The lines of a batch into items of the queue; a bad line is a failed item, and stops no other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePosixPath
from secrets import randbelow
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from app.batch_rows import UNREADABLE, Row
from app.catalogue import Catalogue, UnknownModel
from app.forms import DEFAULT_STEPS, CropText, Wish
from models.registry import Task
from models.text.vocabulary import Vocabulary
from worker.archives import entry_id
from worker.batch_records import Item
from worker.messages import MAX_SEED, Failure, Request


def _as_text(value: object) -> object:
    """A number is a name too: in CSV it looks like any other."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_whole else value


Name = Annotated[str, BeforeValidator(_as_text)]


class BatchLine(Wish):
    """One line: a wish, and the picture to change where it is not to be drawn from words alone."""

    id: Name | None = Field(None, max_length=200)
    image: str | None = Field(None, max_length=1000)
    image_id: str | None = Field(None, max_length=100)
    image_to: str | None = Field(None, max_length=1000)
    image_id_to: str | None = Field(None, max_length=100)
    crop: CropText | None = None
    full_resolution: bool = True


@dataclass(frozen=True)
class Draft:
    """An item, as far as it can be made before the batch's ZIP is kept."""

    item: Item
    entries: Mapping[str, int] | None = None  # in the ZIP, by the request's field

    def with_archive(self, archive_id: str | None) -> Item:
        """The whole item; the ZIP, if there is one, is kept under `archive_id`."""
        if not (self.item.request and archive_id and self.entries):
            return self.item
        ids: dict[str, Any] = {to: entry_id(archive_id, n) for to, n in self.entries.items()}
        return replace(self.item, request=replace(self.item.request, **ids))


class Lines:
    """Makes items of lines; `entries` are the pictures of the batch's ZIP by their names, None
    where it came without one.
    """

    def __init__(
        self, models: Catalogue, defaults: Mapping[str, Any], entries: Mapping[str, int] | None
    ) -> None:
        self._models = models
        self._defaults = defaults
        self._entries = None if entries is None else _with_short_names(entries)
        self._find = cache(self._look_up)  # the catalogue looks at its files each time

    def drafts(self, rows: Sequence[Row]) -> list[Draft]:
        """One a row, in order."""
        return [self._draft(number, row) for number, row in enumerate(rows)]

    def _draft(self, number: int, row: Row) -> Draft:
        if isinstance(row, Failure):
            return Draft(Item(str(number), None, row))
        name = str(number if row.get("id") in (None, "") else row["id"])[:200]
        try:
            line = BatchLine.model_validate({**self._defaults, **row})
            pictures = {
                "image_id": self._picture("image", line.image, line.image_id),
                "image_id_to": self._picture("image_to", line.image_to, line.image_id_to),
            }
            ids = {to: found for to, found in pictures.items() if isinstance(found, str)}
            entries = {to: found for to, found in pictures.items() if isinstance(found, int)}
            return Draft(Item(name, self._request(line, ids, entries)), entries)
        except ValidationError as error:
            return Draft(Item(name, None, Failure(UNREADABLE, _told(error))))
        except (UnknownModel, _BadLine) as error:
            return Draft(Item(name, None, Failure(UNREADABLE, str(error))))

    def _request(
        self, line: BatchLine, ids: Mapping[str, str], entries: Mapping[str, int]
    ) -> Request:
        """What a line asks for, but for pictures in the ZIP."""
        fields = ids.keys() | entries.keys()
        if fields == {"image_id_to"}:
            raise _BadLine("image_to: wanted an image to begin from with it")
        task = Task.MANIPULATE if fields else Task.GENERATE
        model, words = self._find(line.model, task)
        for field, caption in (("caption", line.caption), ("caption_to", line.caption_to)):
            if caption and words and not words.knows_any(caption):
                raise _BadLine(f"{field}: the model knows none of these words")
        return Request(
            task=task,
            model=model,
            caption=line.caption,
            seed=randbelow(MAX_SEED + 1) if line.seed is None else line.seed,
            variations=line.variations,
            image_id=ids.get("image_id"),
            crop=line.crop,
            full_resolution=line.full_resolution,
            format=line.format,
            steps=_steps(line, to_photo="image_id_to" in fields),
            caption_to=line.caption_to,
            image_id_to=ids.get("image_id_to"),
        )

    def _look_up(self, model: str | None, task: Task) -> tuple[str, Vocabulary | None]:
        found = self._models.find(model, task).id
        return found, self._models.vocabulary(found)

    def _picture(self, field: str, name: str | None, image_id: str | None) -> int | str | None:
        """The picture of a line's `field`: a number in the ZIP, or the id of one that is kept."""
        if name and image_id:
            raise _BadLine(f"{field}: wanted either a file's name here or an id, and not both")
        if not name:
            return image_id or None
        if self._entries is None:
            raise _BadLine(f"{field}: the batch came without a ZIP of images")
        number = self._entries.get(name.replace("\\", "/").lstrip("/"))
        if number is None:
            raise _BadLine(f"{field}: the ZIP has no file of this name")
        return number


class _BadLine(ValueError):
    """What is wrong with one line, field first."""


def _steps(line: BatchLine, *, to_photo: bool) -> int:
    if line.caption_to is None and not to_photo:
        if line.steps is not None:
            raise _BadLine("steps: wanted a caption_to or an image_to with it")
        return 1
    if line.variations != 1:
        raise _BadLine("variations: an interpolation has none")
    return line.steps or DEFAULT_STEPS


def _with_short_names(entries: Mapping[str, int]) -> dict[str, int]:
    """Also without their folders, where that is clear: a zipped folder is often one too deep."""
    short: dict[str, list[int]] = {}
    for name, number in entries.items():
        short.setdefault(PurePosixPath(name).name, []).append(number)
    clear = {name: numbers[0] for name, numbers in short.items() if len(numbers) == 1}
    return {**clear, **entries}


def _told(error: ValidationError) -> str:
    """Field and wish of each error, and nothing of what was sent."""
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}"
        for one in error.errors()
    )
