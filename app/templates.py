"""The templates, each shown in the language of whoever asks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request, Response, status
from fastapi.templating import Jinja2Templates

from app.texts import COOKIE, choose_language, read_texts

_FOLDER = Path(__file__).resolve().parents[1] / "templates"
_REVALIDATE = {"Cache-Control": "no-cache"}  # kept, and asked after: an update shows at once


class Templates:
    """Renders pages. In a template `t` gives a text, `texts` has all of them, and `signed_in` says
    whether there is a key to leave behind.
    """

    def __init__(self) -> None:
        self._jinja = Jinja2Templates(_FOLDER)
        self.texts = read_texts()

    def show(
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        status_code: int = status.HTTP_200_OK,
        headers: Mapping[str, str] = _REVALIDATE,
    ) -> Response:
        """The page of the template `name`; it depends on the cookie and on the browser's wishes."""
        texts = self.texts[self._language(request)]
        said = {"t": texts, "texts": texts.entries, "language": texts.language}
        names = {tag: other.entries["language.name"] for tag, other in self.texts.items()}
        varies = {"Vary": "Accept-Language, Cookie", "Content-Language": texts.language}
        return self._jinja.TemplateResponse(
            request,
            name,
            {
                **said,
                "languages": names,
                "signed_in": hasattr(request.state, "key"),
                **(context or {}),
            },
            status_code,
            {**headers, **varies},
        )

    def _language(self, request: Request) -> str:
        return choose_language(
            self.texts,
            chosen=request.cookies.get(COOKIE),
            accepted=request.headers.get("accept-language", ""),
        )


def asks_for_a_page(request: Request) -> bool:
    """Whether a person's browser goes there, rather than a program or a page's own script."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
