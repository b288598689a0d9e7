"""POST /imports: weights that a paper's authors published become a checkpoint that is served."""

import re
from pathlib import PurePath
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Path, Request, Response, UploadFile, status
from pydantic import BaseModel, Field

from app.access import is_from_own_page
from app.deps import All
from app.errors import (
    BadRequest,
    ContentTooLarge,
    Forbidden,
    InvalidRequest,
    NotFound,
    NotOffered,
    Unavailable,
    responses,
)
from app.schemas.imports import Import
from models.import_upstream.published import DOMAIN_PATTERN, KINDS
from worker.imports import GivenFile, Imports, Order
from worker.messages import MAX_CAPTION

router = APIRouter(prefix="/imports", tags=["models"])

MAX_FILES = 3

_MAX_NAME = 100
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_RETRY_AFTER_S = 2  # when to look at an unfinished import again


class ImportForm(BaseModel):
    """The authors' files and what they are."""

    system: Literal["tagan", "sisgan", "attngan", "stackgan", "stackgan_v2", "gan_int_cls"] = Field(
        description="Whose they are."
    )
    domain: str = Field(
        max_length=40,
        pattern=DOMAIN_PATTERN,
        description="What they draw; it becomes a part of the model's id.",
        examples=["birds"],
    )
    files: list[UploadFile] = Field(
        min_length=1,
        max_length=MAX_FILES,
        description="As they were published: weights (`.pth`), the vocabulary (`captions.pickle`) "
        "or word vectors (`.vec`), as the system needs them.",
    )
    example: list[Annotated[str, Field(min_length=1, max_length=MAX_CAPTION)]] = Field(
        [], max_length=8, description="Captions to offer in the form; may be repeated."
    )


async def _offered(services: All) -> Imports:
    if services.imports is None:
        raise NotOffered(
            "weights are brought in from this machine alone, or with an admin's key, and only "
            "where the setting `imports` has not turned it off"
        )
    return services.imports


Offered = Annotated[Imports, Depends(_offered)]


@router.post(
    "",
    operation_id="importWeights",
    status_code=status.HTTP_202_ACCEPTED,
    response_description="The import, to be asked for again at `Location`.",
    responses=responses(
        BadRequest, NotOffered, Forbidden, ContentTooLarge, InvalidRequest, Unavailable
    ),
)
def import_weights(
    request: Request,
    imports: Offered,
    services: All,
    form: Annotated[ImportForm, Form(media_type="multipart/form-data")],
    response: Response,
) -> Import:
    """Make a checkpoint of what a paper's authors published, and serve it.

    The files are read by a process of its own that runs no code that may be in them. What does not
    fit is refused with a list of what is missing and what is unexpected.
    """
    if "origin" in request.headers and not is_from_own_page(request):
        raise Forbidden("the form comes from a page of another site")
    names = _names(form.files)
    imports.check_room()
    files = tuple(
        GivenFile(name, services.store.put_file(file.file, suffix=".bin"))
        for name, file in zip(names, form.files, strict=True)
    )
    order = Order(form.system, form.domain, files, tuple(form.example))
    made = Import.of(imports.read(imports.submit(order)))
    response.headers["Location"] = made.links.self
    response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return made


@router.get(
    "/{import_id}",
    operation_id="readImport",
    response_description="The import.",
    responses=responses(NotOffered, NotFound, InvalidRequest, Unavailable),
)
def read_import(
    imports: Offered,
    import_id: Annotated[str, Path(max_length=64, description="As given in `Location`.")],
    response: Response,
) -> Import:
    """The import as it stands."""
    response.headers["Cache-Control"] = "no-store"
    return Import.of(imports.read(import_id))


def _names(files: list[UploadFile]) -> list[str]:
    """What the files are to be called: names from outside lead nowhere.

    Raises:
        InvalidRequest: one is of no known kind, or two have one name.
    """
    names = [
        _NOT_PLAIN.sub("-", PurePath((file.filename or "").replace("\\", "/")).name)[-_MAX_NAME:]
        for file in files
    ]
    for name in names:
        if PurePath(name).suffix not in KINDS:
            wanted = f"wanted files whose names end in {', '.join(KINDS)}"
            raise InvalidRequest.of("files", f"one is of no known kind, {wanted}")
    if len(set(names)) < len(names):
        raise InvalidRequest.of("files", "two have one name, wanted each under its own")
    return names
